import { SeededRandom } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import {
  absent,
  eventsOf,
  eventText,
  faultOf,
  put,
  putText,
  takeEvents,
} from '@robustmq/placement-conformance';
import { openRegistries, RegistryError } from '@robustmq/placement-registry';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CALL } from '../served-store.fixture.ts';
import { connectTo, isEtcdInstalled, openEtcd, type TestEtcd } from './etcd.fixture.ts';

const LONG = { deadlineMs: 25_000, signal: null };

describe.skipIf(!isEtcdInstalled())('etcd that comes and goes', () => {
  let etcd: TestEtcd;
  let placement: Placement;
  beforeAll(async () => {
    etcd = await openEtcd();
    placement = await connectTo(etcd.host);
  });
  afterAll(async () => {
    await placement.close();
    await etcd.close();
  });

  test('calls wait for its return, and a watch goes on where it was', async () => {
    const from = await putText(placement, 'r/a', '0');
    const range = { first: 'r/', after: 'r0' };
    const taken = takeEvents(placement.watch({ range, from, progressEveryMs: null }), 3);
    await putText(placement, 'r/a', '1');
    await etcd.kill();
    const transaction = {
      compare: [absent('r/b')],
      then: [put('r/b', '2')],
      otherwise: [],
      requestId: 'over-the-restart',
    };
    const writing = placement.transact(transaction, LONG);
    await etcd.start();
    expect((await writing).succeeded).toBe(true);
    const texts = eventsOf(await taken).map((event) => eventText(event).split('@')[0]);
    expect(texts).toEqual(['r/a=0', 'r/a=1', 'r/b=2']);
  });

  test('without it, a call ends at its deadline and names the host', async () => {
    await etcd.kill();
    const request = {
      range: { first: 'x', after: null },
      limit: 0,
      content: 'whole',
      consistency: 'linearizable',
    } as const;
    const fault = await faultOf(placement.range(request, { deadlineMs: 300, signal: null }));
    expect(fault).toEqual({
      code: 'PLACEMENT_UNAVAILABLE',
      detail: expect.stringContaining(etcd.host),
    });
    await etcd.start();
    await putText(placement, 'x', '1');
  });

  test('more operations than etcd takes are refused', async () => {
    const then = Array.from({ length: 200 }, (_, index) => put(`many/${index}`, ''));
    const transaction = { compare: [], then, otherwise: [], requestId: null };
    const fault = await faultOf(placement.transact(transaction, CALL));
    expect(fault).toMatchObject({ code: 'PLACEMENT_INVALID' });
  });

  test('the registries fence on it as anywhere', async () => {
    const naming = { clusterName: 'test', random: new SeededRandom(5) };
    const { nodes, sessions, routes } = openRegistries(placement, naming);
    const node = {
      clusterType: 'mqtt-broker',
      nodeId: 1,
      nodeIp: '',
      innerAddress: '',
      extendInfo: '',
    } as const;
    const life = { ttlSeconds: 30, nowMs: 0 };
    const first = await nodes.register(node, life, CALL);
    await routes.add(first, ['a/#'], CALL);
    const claim = { clientId: 'c', sessionExpirySeconds: 9, willDelaySeconds: 0, nowMs: 0 };
    const owner = { nodeId: 1, incarnation: 1, connectionId: 1 };
    const { session } = await sessions.claim({ ...claim, owner }, CALL);
    const takers = [1, 2].map((connectionId) =>
      sessions.takeOver(session, { ...claim, owner: { ...owner, connectionId } }, CALL),
    );
    const outcomes = await Promise.allSettled(takers);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(sessions.update(session, {}, CALL)).rejects.toThrow(RegistryError);

    const second = await nodes.register(node, life, CALL);
    expect(second.node.incarnation).toBe(2);
    expect(await routes.nodesOf('a/#', CALL)).toEqual([]);
    await expect(routes.add(first, ['b'], CALL)).rejects.toThrow(RegistryError);
    await expect(nodes.heartbeat(first, CALL)).rejects.toThrow();
    await nodes.heartbeat(second, CALL);
  });

  test('an etcd that asks who is there lets in whoever has the password', async () => {
    const admin = new Etcd3({ hosts: etcd.host });
    await admin.role('root').create();
    await admin.user('root').create('right');
    await admin.user('root').addRole('root');
    await admin.auth.authEnable();
    admin.close();
    const told: unknown[] = [];
    for (const password of ['right', 'wrong', null]) {
      const credentials = password === null ? null : { username: 'root', password };
      const client = await connectTo(etcd.host, credentials);
      told.push((await faultOf(putText(client, 'auth', '1')))?.code ?? 'in');
      await client.close();
    }
    const refused = 'PLACEMENT_UNAUTHENTICATED';
    expect(told).toEqual(['in', refused, refused]);
  });
});
