import { ManualClock } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type { KeyedChange, KeyedRecord, KeyedTail } from '@robustmq/journal';
import { RaftError } from '@robustmq/raft-driver';
import { afterEach, describe, expect, test } from 'vitest';
import { KeyedCluster } from './cluster.fixture.ts';
import type { KeyedReplica } from './keyed-replica.ts';

const SOON_MS = 10_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let cluster: KeyedCluster;

afterEach(() => cluster.close());

function textOf(record: KeyedRecord | null): string | null {
  return record === null ? null : decoder.decode(record.value);
}

function put(
  replica: KeyedReplica,
  key: string,
  text: string,
  fence = 1,
): Promise<readonly boolean[]> {
  return replica.write([{ key, fence, value: encoder.encode(text) }], SOON_MS);
}

function remove(replica: KeyedReplica, key: string): Promise<readonly boolean[]> {
  return replica.write([{ key, fence: 1, value: null }], SOON_MS);
}

async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof RaftError || error instanceof JournalError ? error.fault : error;
}

/** Every key with its value, as a tail tells it. */
async function contentByTail(replica: KeyedReplica): Promise<ReadonlyMap<string, string>> {
  const tail = replica.openTail(0);
  const content = new Map<string, string>();
  while (tail.position < replica.status.revision) noteChanges(content, await tail.next(100));
  tail.close();
  return content;
}

function noteChanges(content: Map<string, string>, changes: readonly KeyedChange[]): void {
  for (const { key, value } of changes) {
    if (value === null) content.delete(key);
    else content.set(key, decoder.decode(value));
  }
}

async function contentByList(replica: KeyedReplica): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>();
  for (let after: string | null = null; ; ) {
    const page: readonly KeyedRecord[] = await replica.list(after, 50, SOON_MS);
    for (const record of page) content.set(record.key, textOf(record) as string);
    const last = page.at(-1);
    if (last === undefined) return content;
    after = last.key;
  }
}

describe('a keyed shard of one replica', () => {
  test('has what was written after a restart, and counts on', async () => {
    cluster = await KeyedCluster.found(1);
    const { replica } = await cluster.leader();
    expect(await put(replica, 'a', 'one')).toEqual([true]);
    expect(await put(replica, 'b', 'two')).toEqual([true]);
    expect(await replica.write([{ key: 'a', fence: 2, value: null }], SOON_MS)).toEqual([true]);
    await cluster.stop(1);
    await cluster.start(1, 'join');
    const again = (await cluster.leader()).replica;
    expect(await again.revision(SOON_MS)).toBe(3);
    expect(textOf(await again.read('a', SOON_MS))).toBeNull();
    expect(textOf(await again.read('b', SOON_MS))).toBe('two');
    expect(await put(again, 'a', 'refused')).toEqual([false]);
    expect(again.status).toMatchObject({ revision: 3, keys: 1, removals: 1 });
  });

  test('has everything acknowledged after it was killed, and killed again', async () => {
    cluster = await KeyedCluster.found(1, { compaction: { logEntriesMax: 20, slackEntries: 5 } });
    const written = new Map<string, string>();
    // Too few rounds for LevelDB to merge tables, which must not happen while the disk is copied.
    for (let round = 0; round < 3; round += 1) {
      const { replica } = await cluster.leader();
      // Enough that some of it has left memory when the process dies, and some has not.
      for (let i = 0; i < 40; i += 1) {
        const text = `${round} ${i} ${'x'.repeat(20_000)}`;
        written.set(`k${i % 25}`, text);
        expect(await put(replica, `k${i % 25}`, text)).toEqual([true]);
      }
      await cluster.kill(1);
      await cluster.start(1, 'join');
      const again = (await cluster.leader()).replica;
      expect(await again.revision(SOON_MS)).toBe(40 * (round + 1));
      expect(await contentByTail(again)).toEqual(written);
    }
  });

  test('puts the calls of one turn in one proposal', async () => {
    cluster = await KeyedCluster.found(1);
    const { replica } = await cluster.leader();
    await put(replica, 'before', '');
    const { lastIndex } = replica.status.raft;
    const calls = Array.from({ length: 100 }, (_, i) => put(replica, `k${i % 10}`, String(i)));
    const claimed = replica.claim('k9', 3, SOON_MS);
    expect((await Promise.all(calls)).flat()).toEqual(calls.map(() => true));
    expect(textOf((await claimed).record)).toBe('99');
    expect(replica.status.raft.lastIndex).toBe(lastIndex + 1);
    expect(textOf(await replica.read('k8', SOON_MS))).toBe('98');
  });

  test('refuses what does not fit, and says so', async () => {
    cluster = await KeyedCluster.found(1, { limits: { storedBytesMax: 1000 } });
    const { replica } = await cluster.leader();
    expect(await faultOf(put(replica, 'a', 'x'.repeat(2000)))).toMatchObject({
      code: 'JOURNAL_FULL',
      limit: 'configured',
    });
    const tooLarge = { code: 'RAFT_REFUSED', reason: 'tooLarge' };
    expect(await faultOf(put(replica, 'k'.repeat(70_000), ''))).toMatchObject(tooLarge);
    expect(await faultOf(put(replica, 'a', 'x'.repeat(3_000_000)))).toMatchObject(tooLarge);
    expect(await put(replica, 'a', 'fits')).toEqual([true]);
    expect(replica.status).toMatchObject({ revision: 1, keys: 1 });
  });

  test('a tail that has not seen forgotten removals is told to begin anew', async () => {
    const clock = new ManualClock(1_000_000);
    const limits = { keepRemovalsMs: 1000, recentBytesMax: 0 };
    cluster = await KeyedCluster.found(1, { clock, limits });
    const { replica } = await cluster.leader();
    for (const key of ['a', 'b', 'c']) await put(replica, key, key);
    const tail = replica.openTail(0);
    expect((await tail.next(10)).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    await remove(replica, 'a');
    await remove(replica, 'b');
    const seen = replica.openTail(5);
    clock.advance(1000);
    await put(replica, 'd', 'd');
    expect(replica.status).toMatchObject({ removals: 0, forgottenRevision: 5 });
    const fault = { code: 'JOURNAL_OFFSET_TRIMMED', requested: 3, oldest: 5 };
    expect(await faultOf(tail.next(10))).toEqual(fault);
    expect((await seen.next(10)).map(({ key }) => key)).toEqual(['d']);
    expect([...(await contentByTail(replica)).keys()]).toEqual(['c', 'd']);
  });

  test('a tail that began at 0 goes on while removals that it never needed are forgotten', async () => {
    const clock = new ManualClock(1_000_000);
    const limits = { keepRemovalsMs: 1000, recentBytesMax: 0 };
    cluster = await KeyedCluster.found(1, { clock, limits });
    const { replica } = await cluster.leader();
    for (const key of ['a', 'b', 'c']) await put(replica, key, key);
    await remove(replica, 'b');
    clock.advance(1000);
    await put(replica, 'd', 'd');
    const tail = replica.openTail(0);
    expect((await tail.next(1)).map(({ key }) => key)).toEqual(['a']);
    expect((await tail.next(10)).map(({ key }) => key)).toEqual(['c', 'd']);
  });
});

/** What a tail from 0 makes of it, up to the key `last`. */
async function followToLast(replica: KeyedReplica): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  const tail: KeyedTail = replica.openTail(0);
  while (!content.has('last')) noteChanges(content, await tail.next(20));
  tail.close();
  return content;
}

describe('a keyed shard of three replicas', () => {
  test('a follower reads what the leader acknowledged, and says who leads', async () => {
    cluster = await KeyedCluster.found(3);
    const leader = await cluster.leader();
    await put(leader.replica, 'a', 'one');
    for (const { id, replica } of cluster.members.values()) {
      expect(textOf(await replica.read('a', SOON_MS))).toBe('one');
      if (id === leader.id) continue;
      const fault = { code: 'RAFT_REFUSED', reason: 'notLeader', leader: leader.id };
      expect(await faultOf(put(replica, 'a', 'two'))).toEqual(fault);
    }
  });

  test('what was acknowledged survives its leader, and tails go on across it', async () => {
    cluster = await KeyedCluster.found(3);
    const first = await cluster.leader();
    const survivor = [...cluster.members.values()].find(({ id }) => id !== first.id);
    if (survivor === undefined) throw new Error('there are three');
    const followed = followToLast(survivor.replica);
    for (let i = 0; i < 30; i += 1) await put(first.replica, `k${i % 7}`, `first ${i}`);
    await remove(first.replica, 'k3');
    await cluster.stop(first.id);
    const second = await cluster.leader();
    expect(await second.replica.revision(SOON_MS)).toBe(31);
    for (let i = 0; i < 10; i += 1) await put(second.replica, `k${i % 2}`, `second ${i}`);
    await put(second.replica, 'last', '');
    const content = await contentByList(second.replica);
    expect(content.get('k6')).toBe('first 27');
    expect(content.has('k3')).toBe(false);
    expect([...(await followed)].sort(byKey)).toEqual([...content].sort(byKey));
  });

  test('a follower that was away is brought up by a snapshot while writes go on', async () => {
    const compaction = { logEntriesMax: 40, logBytesMax: 100_000, slackEntries: 5 };
    cluster = await KeyedCluster.found(3, { compaction });
    const leader = await cluster.leader();
    const away = [...cluster.members.keys()].find((id) => id !== leader.id) as number;
    await put(leader.replica, 'old', 'x');
    await put(leader.replica, 'gone', 'x');
    await cluster.until(() => cluster.members.get(away)?.replica.status.revision === 2);
    await cluster.stop(away);
    await remove(leader.replica, 'gone');
    for (let i = 0; i < 200; i += 1) {
      await put(leader.replica, `k${i % 60}`, `${i} ${'x'.repeat(1000)}`);
    }
    expect(leader.replica.status.raft.firstIndex).toBeGreaterThan(40);
    const back = await cluster.start(away, 'join');
    // It has the keys from before, and follows on over the snapshot that replaces them.
    const followed = followToLast(back.replica);
    for (let i = 0; i < 60; i += 1) await put(leader.replica, `n${i % 20}`, `meanwhile ${i}`);
    await put(leader.replica, 'last', '');
    await cluster.until(() => back.replica.status.revision === leader.replica.status.revision);
    const content = await contentByList(leader.replica);
    expect([...(await followed)].sort(byKey)).toEqual([...content].sort(byKey));
    expect(await contentByTail(back.replica)).toEqual(await contentByTail(leader.replica));
    expect(await contentByList(back.replica)).toEqual(content);
    const { keys, removals, storedBytes } = leader.replica.status;
    expect(back.replica.status).toMatchObject({ keys, removals, storedBytes });
  });

  test('the leadership is handed over, and the next leader takes writes', async () => {
    cluster = await KeyedCluster.found(3);
    const first = await cluster.leader();
    await put(first.replica, 'a', 'one');
    const next = [...cluster.members.values()].find(({ id }) => id !== first.id);
    if (next === undefined) throw new Error('there are three');
    await first.replica.transferLeadership(next.id, SOON_MS);
    await cluster.until(() => next.replica.status.raft.role === 'leader');
    expect(await put(next.replica, 'a', 'two')).toEqual([true]);
    expect(textOf(await first.replica.read('a', SOON_MS))).toBe('two');
  });
});

function byKey(left: readonly [string, string], right: readonly [string, string]): number {
  return left[0] < right[0] ? -1 : 1;
}
