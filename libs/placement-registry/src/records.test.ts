import { inspect } from 'node:util';
import type { Revision } from '@robustmq/placement';
import { describe, expect, test } from 'vitest';
import { CALL, faultOf, openTestCluster } from './cluster.fixture.ts';
import { SecretText } from './secret-text.ts';

const PAGE = { after: null, limit: 100 };

describe('settings and documents', () => {
  test('a writer that names the revision it read overwrites nothing unseen', async () => {
    const { settings } = (await openTestCluster()).registries;
    const resource = ['mqtt', 'protocol'];
    await settings.save({ resource, content: Uint8Array.of(1) }, 0 as Revision, CALL);
    const read = await settings.read(resource, CALL);
    await settings.save({ resource, content: Uint8Array.of(2) }, null, CALL);
    const late = settings.save(
      { resource, content: Uint8Array.of(3) },
      read?.modRevision ?? null,
      CALL,
    );
    expect((await faultOf(late)).code).toBe('REGISTRY_FENCED');
    expect((await settings.read(resource, CALL))?.value.content).toEqual(Uint8Array.of(2));
    expect(await settings.delete(resource, CALL)).toBe(true);
    expect(await settings.delete(resource, CALL)).toBe(false);
  });

  test('of those who create the same document at once, one does', async () => {
    const { documents } = (await openTestCluster()).registries;
    const document = { kind: 'schema', name: 's', content: new Uint8Array(0) };
    const made = await Promise.allSettled([1, 2, 3].map(() => documents.create(document, CALL)));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await faultOf(documents.create(document, CALL))).code).toBe('REGISTRY_EXISTS');
  });
});

describe('users, access rules and bans', () => {
  test('a password hash is stored as given and never shown', async () => {
    const { users } = (await openTestCluster()).registries;
    const passwordHash = new SecretText('$scrypt$top$secret');
    await users.create({ username: 'u', passwordHash, isSuperuser: true }, CALL);
    const stored = (await users.read(['u'], CALL))?.value;
    expect(stored?.passwordHash.reveal()).toBe('$scrypt$top$secret');
    const shown = `${inspect(stored, { depth: 9 })} ${JSON.stringify(stored)} ${stored?.passwordHash}`;
    expect(shown).not.toContain('top');
  });

  test('a record that cannot be read does not show its value either', async () => {
    const { registries, placement } = await openTestCluster();
    const { users } = registries;
    const value = new TextEncoder().encode('top-secret {');
    const key = users.table.keyOf(['u']);
    const then = [{ kind: 'put', key, value, lease: null } as const];
    await placement.transact({ compare: [], then, otherwise: [], requestId: null }, CALL);
    const error = await users.read(['u'], CALL).catch((caught: unknown) => caught);
    expect(inspect(error, { depth: 9 })).toContain('REGISTRY_RECORD_UNREADABLE');
    expect(inspect(error, { depth: 9 })).not.toContain('top-secret');
  });

  test('rules with slashes and wildcards are told apart', async () => {
    const { accessRules } = (await openTestCluster()).registries;
    const rule = {
      subject: 'user',
      name: 'a/b',
      action: 'publish',
      permission: 'deny',
      topic: '%/#',
      address: '*',
    } as const;
    await accessRules.save(rule, null, CALL);
    await accessRules.save(rule, null, CALL);
    await accessRules.save({ ...rule, permission: 'allow' }, null, CALL);
    const page = await accessRules.list(PAGE, CALL);
    expect(page.items.map(({ value }) => value.permission)).toEqual(['allow', 'deny']);
    expect(page.items[1]?.value).toEqual(rule);
  });
});

describe('topics', () => {
  test('an older retained message replaces no newer one', async () => {
    const { topics } = (await openTestCluster()).registries;
    expect(await topics.create('a/b', 1, CALL)).toBe(true);
    expect(await topics.create('a/b', 2, CALL)).toBe(false);
    const retained = { sequence: 2, pointer: Uint8Array.of(7), expiresAtMs: null };
    await topics.retain('a/b', retained, CALL);
    const late = await faultOf(topics.retain('a/b', { ...retained, sequence: 1 }, CALL));
    expect(late.code).toBe('REGISTRY_FENCED');
    expect((await topics.read('a/b', CALL))?.value.retained).toEqual(retained);
    expect((await faultOf(topics.retain('x', retained, CALL))).code).toBe('REGISTRY_NOT_FOUND');
  });
});

describe('unique ids', () => {
  test('blocks that are taken at once do not overlap', async () => {
    const { uniqueIds } = (await openTestCluster()).registries;
    const sizes = [1, 5, 100, 2, 7];
    const blocks = await Promise.all(sizes.map((size) => uniqueIds.takeBlock('n', size, CALL)));
    const ids = blocks.flatMap(({ first, after }) =>
      Array.from({ length: after - first }, (_, index) => first + index),
    );
    expect(new Set(ids).size).toBe(115);
    expect(Math.min(...ids)).toBe(1);
  });

  test.each([0, -1, 1.5, 1_000_001])('a block of %d ids is refused', async (size) => {
    const { uniqueIds } = (await openTestCluster()).registries;
    const fault = await faultOf(uniqueIds.takeBlock('n', size, CALL));
    expect(fault.code).toBe('REGISTRY_INVALID');
  });
});

describe('idempotent data', () => {
  test('of those who mark the same request, one is the first', async () => {
    const { idempotence } = (await openTestCluster()).registries;
    const request = { producer: 'p', sequence: 1, expiresAtMs: 100 };
    const marked = await Promise.all([1, 2, 3].map(() => idempotence.mark(request, CALL)));
    expect(marked.toSorted()).toEqual(['first', 'repeated', 'repeated']);
    expect(await idempotence.forget(request, CALL)).toBe(true);
    expect(await idempotence.isMarked(request, CALL)).toBe(false);
    expect(await idempotence.mark(request, CALL)).toBe('first');
  });

  test('what is over is forgotten, the oldest first', async () => {
    const { idempotence } = (await openTestCluster()).registries;
    for (const sequence of [3, 1, 2]) {
      await idempotence.mark({ producer: 'p', sequence, expiresAtMs: sequence * 10 }, CALL);
    }
    expect(await idempotence.forgetExpired({ nowMs: 20, limit: 10 }, CALL)).toBe(30);
    const left = [1, 2, 3].map((sequence) =>
      idempotence.isMarked({ producer: 'p', sequence }, CALL),
    );
    expect(await Promise.all(left)).toEqual([false, false, true]);
    expect(await idempotence.forgetExpired({ nowMs: 30, limit: 10 }, CALL)).toBeNull();
  });
});
