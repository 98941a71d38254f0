import { describe, expect, test } from 'vitest';
import { CALL, faultOf, openTestCluster } from './cluster.fixture.ts';

const CLAIM = { clientId: 'c1', sessionExpirySeconds: 60, willDelaySeconds: 0, nowMs: 5 };

describe('sessions', () => {
  test('a new session has an owner and an epoch', async () => {
    const { registries, broker } = await openTestCluster();
    const owner = await broker(1);
    const { session, previous } = await registries.sessions.claim({ ...CLAIM, owner }, CALL);
    expect(previous).toBeNull();
    expect(session.owner).toEqual(owner);
    expect(session.epoch).toBeGreaterThan(0);
  });

  test('taking over gives the next epoch, and the owner before is refused', async () => {
    const { registries, broker } = await openTestCluster();
    const { sessions } = registries;
    const first = (await sessions.claim({ ...CLAIM, owner: await broker(1) }, CALL)).session;
    const second = (await sessions.claim({ ...CLAIM, owner: await broker(2) }, CALL)).session;
    expect(second.epoch).toBe(first.epoch + 1);
    const fault = await faultOf(sessions.update(first, { connectionId: 9 }, CALL));
    expect(fault).toMatchObject({
      code: 'REGISTRY_FENCED',
      offered: first.epoch,
      current: second.epoch,
    });
    await sessions.update(second, { connectionId: 9 }, CALL);
    expect((await sessions.read('c1', CALL))?.value.owner?.connectionId).toBe(9);
  });

  test('of two takers of what both have seen, one wins', async () => {
    const { registries, broker } = await openTestCluster();
    const { sessions } = registries;
    const seen = (await sessions.claim({ ...CLAIM, owner: await broker(1) }, CALL)).session;
    const takers = [await broker(2), await broker(3)];
    const outcomes = await Promise.allSettled(
      takers.map((owner) => sessions.takeOver(seen, { ...CLAIM, owner }, CALL)),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = outcomes.find(({ status }) => status === 'fulfilled');
    const stored = (await sessions.read('c1', CALL))?.value;
    expect(stored).toEqual(winner?.status === 'fulfilled' ? winner.value : null);
  });

  test('many claims at once leave one owner and one key of ownership', async () => {
    const { registries, broker } = await openTestCluster();
    const { sessions } = registries;
    const owners = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((id) => broker(id)));
    await Promise.all(owners.map((owner) => sessions.claim({ ...CLAIM, owner }, CALL)));
    const stored = (await sessions.read('c1', CALL))?.value;
    const [owner, ...others] = await sessions.listOwners(CALL);
    expect(others).toEqual([]);
    expect(stored?.owner).toMatchObject(owner ?? {});
    const owned = await sessions.listOwned(
      owner ?? { nodeId: 0, incarnation: 0 },
      { after: null, limit: 9 },
      CALL,
    );
    expect(owned.items.map(({ names, value }) => [names.at(-1), value.epoch])).toEqual([
      ['c1', stored?.epoch],
    ]);
  });

  test('an owner of a deleted session cannot write to the one made after it', async () => {
    const { registries, broker } = await openTestCluster();
    const { sessions } = registries;
    const owner = await broker(1);
    const first = (await sessions.claim({ ...CLAIM, owner }, CALL)).session;
    await sessions.delete(first, CALL);
    const second = (await sessions.claim({ ...CLAIM, owner }, CALL)).session;
    expect(second.epoch).toBeGreaterThan(first.epoch);
    const fault = await faultOf(sessions.update(first, { connectionId: 9 }, CALL));
    expect(fault.code).toBe('REGISTRY_FENCED');
  });

  test('a broker with a successor cannot claim', async () => {
    const { registries, broker } = await openTestCluster();
    const old = await broker(1);
    await broker(1);
    const fault = await faultOf(registries.sessions.claim({ ...CLAIM, owner: old }, CALL));
    expect(fault).toMatchObject({ code: 'REGISTRY_FENCED', offered: 1, current: 2 });
  });

  test('subscriptions and the will need the newest epoch and go with the session', async () => {
    const { registries, broker } = await openTestCluster();
    const { sessions, subscriptions, wills } = registries;
    const { session } = await sessions.claim({ ...CLAIM, owner: await broker(1) }, CALL);
    const subscription = {
      topicFilter: 'a/#',
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      subscriptionIdentifier: null,
    };
    const message = Uint8Array.of(0, 255);
    const will = { ...session, message };
    await subscriptions.subscribe(session, [subscription], CALL);
    await wills.save(will, CALL);
    const page = await subscriptions.list('c1', { after: null, limit: 10 }, CALL);
    expect(page.items.map(({ value }) => value)).toEqual([subscription]);
    expect((await wills.read('c1', CALL))?.message).toEqual(message);
    // What the owner changes in its session meanwhile does not get into the way.
    await sessions.update(session, { connectionId: 9 }, CALL);
    await subscriptions.subscribe(session, [{ ...subscription, topicFilter: 'b' }], CALL);
    await subscriptions.unsubscribe(session, ['b'], CALL);

    const next = (await sessions.claim({ ...CLAIM, owner: await broker(2) }, CALL)).session;
    const late = await faultOf(subscriptions.unsubscribe(session, ['a/#'], CALL));
    expect(late.code).toBe('REGISTRY_FENCED');
    expect((await faultOf(wills.save(will, CALL))).code).toBe('REGISTRY_FENCED');

    await sessions.delete(next, CALL);
    const rest = await subscriptions.list('c1', { after: null, limit: 10 }, CALL);
    expect(rest.items).toEqual([]);
    expect(await wills.read('c1', CALL)).toBeNull();
  });

  test('of those who take a will, one gets it', async () => {
    const { registries, broker } = await openTestCluster();
    const { session } = await registries.sessions.claim({ ...CLAIM, owner: await broker(1) }, CALL);
    const will = { ...session, message: Uint8Array.of(1) };
    await registries.wills.save(will, CALL);
    const taken = await Promise.all([1, 2, 3].map(() => registries.wills.take('c1', CALL)));
    expect(taken.filter((each) => each !== null)).toHaveLength(1);
  });

  test('a will that was taken is due until it is published, whatever becomes of its session', async () => {
    const { registries, broker } = await openTestCluster();
    const { wills, sessions } = registries;
    const { session } = await sessions.claim({ ...CLAIM, owner: await broker(1) }, CALL);
    await wills.save({ ...session, message: Uint8Array.of(1) }, CALL);
    const taker = { nodeId: 1, incarnation: 1 };
    const due = await wills.takeOwned(session, { taker, placeOf: () => 7 }, CALL);
    if (due === null) throw new Error('there was no will');
    expect(due).toMatchObject({ ...taker, clientId: 'c1', from: 7 });
    expect(await wills.takeOwned(session, { taker, placeOf: () => 7 }, CALL)).toBe(null);
    await sessions.delete(session, CALL);

    const others = [2, 3].map((nodeId) => ({ nodeId, incarnation: 1 }));
    const retaken = await Promise.all(others.map((other) => wills.retake(due, other, CALL)));
    const [mine] = retaken.filter((each) => each !== null);
    expect(retaken).toContain(null);
    // Who had it before says nothing about it any more.
    await wills.published(due, CALL);
    const page = await wills.listDue({ after: null, limit: 10 }, CALL);
    expect(page.items.map(({ value }) => value)).toEqual([mine]);
    if (mine != null) await wills.published(mine, CALL);
    expect((await wills.listDue({ after: null, limit: 10 }, CALL)).items).toEqual([]);
  });

  test('a will that is not due when it is taken is deleted', async () => {
    const { registries, broker } = await openTestCluster();
    const { wills, sessions } = registries;
    const { session } = await sessions.claim({ ...CLAIM, owner: await broker(1) }, CALL);
    await wills.save({ ...session, message: Uint8Array.of(1) }, CALL);
    const by = { taker: { nodeId: 1, incarnation: 1 }, placeOf: () => null };
    expect(await wills.takeOwned(session, by, CALL)).toBe(null);
    expect(await wills.read('c1', CALL)).toBe(null);
    expect((await wills.listDue({ after: null, limit: 10 }, CALL)).items).toEqual([]);
  });

  test('sessions are listed page by page, each once', async () => {
    const { registries, broker } = await openTestCluster();
    const owner = await broker(1);
    const ids = ['a', 'a/b', 'a%b', 'ä', '😀', 'z'];
    for (const clientId of ids)
      await registries.sessions.claim({ ...CLAIM, clientId, owner }, CALL);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await registries.sessions.list({ after, limit: 2 }, CALL);
      seen.push(...page.items.map(({ value }) => value.clientId));
      after = page.next;
    } while (after !== null);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });
});
