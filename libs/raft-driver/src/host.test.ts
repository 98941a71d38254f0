import { FaultyFileSystem, MemoryFileSystem, settle } from '@robustmq/environment';
import type { LogIndex, NodeId } from '@robustmq/raft';
import { describe, expect, test } from 'vitest';
import type { RaftError } from './raft-error.ts';
import type { RaftGroup } from './raft-group.ts';
import type { RaftHost } from './raft-host.ts';
import { ListMachine, newListDisk } from './testing/list-machine.ts';
import { TestCluster, type TestNode } from './testing/test-cluster.ts';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function itemsOf(node: TestNode): readonly string[] {
  return node.machine?.items ?? [];
}

function otherThan(cluster: TestCluster, node: TestNode): TestNode {
  return cluster.nodes.find((each) => each !== node) as TestNode;
}

async function faultOf(work: Promise<unknown> | undefined): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return (error as RaftError).fault;
  }
  return null;
}

describe('a node with another identity', () => {
  test('is refused when its disk was wiped, and told so', async () => {
    const cluster = await TestCluster.found(3);
    await cluster.propose('a');
    const wiped = otherThan(cluster, await cluster.leader());
    await cluster.stop(wiped);
    wiped.disk = new MemoryFileSystem();
    wiped.machineDisk = newListDisk();
    const voters = [1, 2, 3] as NodeId[];
    await cluster.start(wiped, { kind: 'found', voters });
    await cluster.pass(40);
    expect(wiped.refused[0]?.reason).toBe('otherMember');
    expect(wiped.refused[0]?.sentence).toContain('lost its disk');
    expect(wiped.group?.status.commitIndex).toBe(0);
    expect(itemsOf(wiped)).toEqual([]);
    await cluster.propose('b');
    const { host } = await cluster.leader();
    expect(host?.counters.framesRefused).toBeGreaterThan(0);
    await cluster.stopAll();
  });

  test('is refused by nodes that restarted meanwhile, too', async () => {
    const cluster = await TestCluster.found(3);
    await cluster.propose('a');
    const [first, second, wiped] = cluster.nodes as [TestNode, TestNode, TestNode];
    for (const node of cluster.nodes) await cluster.crash(node);
    wiped.disk = new MemoryFileSystem();
    wiped.machineDisk = newListDisk();
    for (const node of [first, second]) await cluster.start(node);
    await cluster.start(wiped);
    await cluster.propose('b');
    await cluster.pass(20);
    expect(wiped.refused.length).toBeGreaterThan(0);
    expect(itemsOf(wiped)).toEqual([]);
    await cluster.stopAll();
  });

  test('of another cluster is refused; the cluster itself does not mind', async () => {
    const cluster = await TestCluster.found(3);
    await cluster.propose('a');
    const [, , stray] = cluster.nodes as [TestNode, TestNode, TestNode];
    await cluster.stop(stray);
    const other = new TestCluster({ host: { clusterId: 'other' } });
    const confused = other.addNode(3 as NodeId);
    Object.assign(other, { timers: cluster.timers, network: cluster.network });
    await other.start(confused, { kind: 'found', voters: [1, 2, 3] as NodeId[] });
    await cluster.pass(30);
    expect(confused.refused[0]?.reason).toBe('otherCluster');
    expect(cluster.nodes.flatMap(({ refused }) => refused)).toEqual([]);
    await other.stopAll();
    await cluster.stopAll();
  });

  test('does not open the directory of another node', async () => {
    const cluster = await TestCluster.found(1);
    const node = cluster.nodes[0] as TestNode;
    await cluster.stop(node);
    const renamed = { ...node, id: 2 as NodeId };
    expect(await faultOf(cluster.start(renamed))).toMatchObject({
      code: 'RAFT_LOG_CORRUPT',
      file: 'data/identity',
    });
  });

  test('does not open groups whose identity file is gone', async () => {
    const cluster = await TestCluster.found(1);
    const node = cluster.nodes[0] as TestNode;
    await cluster.stop(node);
    await node.disk.unlink('data/identity');
    expect(await faultOf(cluster.start(node))).toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
  });
});

describe('a directory that can not be trusted', () => {
  const groups = 'data/groups/list';

  async function stoppedNode(): Promise<{ cluster: TestCluster; node: TestNode }> {
    const cluster = await TestCluster.found(1);
    for (const text of ['a', 'b', 'c']) await cluster.propose(text);
    const node = cluster.nodes[0] as TestNode;
    await node.machine?.flush();
    await cluster.stop(node);
    return { cluster, node };
  }

  test('because the log is gone is refused', async () => {
    const { cluster, node } = await stoppedNode();
    await node.disk.unlink(`${groups}/0000000000000001.raftlog`);
    expect(await faultOf(cluster.start(node))).toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
  });

  test('because the snapshot metadata is gone is refused', async () => {
    const { cluster, node } = await stoppedNode();
    await node.disk.unlink(`${groups}/snapshot`);
    expect(await faultOf(cluster.start(node))).toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
  });

  test('because the machine lost what the log forgot is refused', async () => {
    const cluster = await TestCluster.found(1, {
      group: { compaction: { logEntriesMax: 5, slackEntries: 0 } },
    });
    for (let at = 0; at < 20; at += 1) await cluster.propose(`${at}`);
    const node = cluster.nodes[0] as TestNode;
    await cluster.stop(node);
    node.machineDisk = newListDisk();
    expect(await faultOf(cluster.start(node))).toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
  });

  test('because bits flipped in the middle of the log is refused', async () => {
    const { cluster, node } = await stoppedNode();
    node.disk.flipBits(`${groups}/0000000000000001.raftlog`, 80, 4);
    expect(await faultOf(cluster.start(node))).toMatchObject({
      code: 'RAFT_LOG_CORRUPT',
      file: `${groups}/0000000000000001.raftlog`,
      position: 57,
    });
  });
});

describe('a group that is deleted', () => {
  const groups = 'data/groups';

  test('leaves nothing, and is no group for those who open it again', async () => {
    const cluster = await TestCluster.found(1);
    await cluster.propose('a');
    const { host, group, disk } = cluster.nodes[0] as TestNode;
    await group?.close();
    await host?.deleteGroup('list');
    expect(await disk.list(groups)).toEqual([]);
    await host?.deleteGroup('list');
    await cluster.stopAll();
  });

  test('can not be opened when the deletion was cut short, and the deletion is finished later', async () => {
    for (let operation = 0; ; operation += 1) {
      const cluster = new TestCluster();
      const node = cluster.addNode(1 as NodeId);
      let left = Number.POSITIVE_INFINITY;
      node.wrap = (disk) =>
        new FaultyFileSystem(disk, ({ kind }) => {
          if (kind !== 'unlink' && kind !== 'syncDirectory' && kind !== 'removeDirectory')
            return null;
          left -= 1;
          return left < 0 ? { kind: 'crash' } : null;
        });
      await cluster.start(node, { kind: 'found', voters: [1] as NodeId[] });
      await cluster.propose('a');
      const { host, group } = node as { host: RaftHost; group: RaftGroup<number> };
      await group.close();
      left = operation;
      const fault = await faultOf(host.deleteGroup('list'));
      left = Number.POSITIVE_INFINITY;
      const after = node.disk.crashClone(operation);
      await host.close().catch(() => undefined);
      if (fault === null) break;
      node.disk = after;
      node.wrap = (disk) => disk;
      const names = await after.list(`${groups}/list`);
      if (names.length > 0 && !names.includes('snapshot')) {
        expect(await faultOf(cluster.start(node)), `${operation}`).toMatchObject({
          code: 'RAFT_LOG_CORRUPT',
        });
      }
    }
  });
});

describe('a disk that fails', () => {
  const faults = [
    ['syncData', 'EIO', 'RAFT_IO_FAILED', 'the system may have forgotten what it could not write'],
    ['write', 'ENOSPC', 'RAFT_FULL', 'the outcome is known, and a restart goes on'],
  ] as const;
  for (const [kind, code, expected, why] of faults) {
    test(`with ${code} in ${kind} stops the group as ${expected}: ${why}`, async () => {
      let fails = false;
      const cluster = new TestCluster();
      const node = cluster.addNode(1 as NodeId);
      node.wrap = (disk) =>
        new FaultyFileSystem(disk, (operation) =>
          fails && operation.kind === kind && operation.path.endsWith('.raftlog')
            ? { kind: 'fail', code }
            : null,
        );
      await cluster.start(node, { kind: 'found', voters: [1] as NodeId[] });
      await cluster.propose('a');
      fails = true;
      const group = node.group as RaftGroup<number>;
      const fault = await faultOf(cluster.during(group.propose(bytes('b'), 5000)));
      expect(fault).toMatchObject({ code: 'RAFT_OUTCOME_UNKNOWN' });
      expect(node.fatal).toMatchObject([{ code: expected }]);
      expect(await faultOf(group.propose(bytes('c'), 5000))).toMatchObject({ code: expected });
      expect(await faultOf(group.readBarrier(5000))).toMatchObject({ code: expected });
      fails = false;
      expect(node.fatal, 'nothing is tried again').toHaveLength(1);
      await cluster.crash(node);
      await cluster.start(node);
      await cluster.propose('d');
      expect(itemsOf(node).filter((item) => item !== 'b')).toEqual(['a', 'd']);
      await cluster.stopAll();
    });
  }

  test('in one of three does not stop the others', async () => {
    const cluster = new TestCluster();
    let failing: NodeId | null = null;
    const voters = [1, 2, 3] as NodeId[];
    for (const id of voters) {
      const node = cluster.addNode(id);
      node.wrap = (disk) =>
        new FaultyFileSystem(disk, ({ kind }) =>
          failing === id && kind === 'syncData' ? { kind: 'fail', code: 'EIO' } : null,
        );
      await cluster.start(node, { kind: 'found', voters });
    }
    await cluster.propose('a');
    const leader = await cluster.leader();
    failing = leader.id;
    await faultOf(cluster.during(leader.group?.propose(bytes('b'), 5000) as Promise<unknown>));
    await cluster.stop(leader);
    await cluster.propose('c');
    expect(itemsOf(await cluster.leader()).at(-1)).toBe('c');
    await cluster.stopAll();
  });
});

describe('what groups share', () => {
  test('one frame per node and turn carries the heartbeats of all groups', async () => {
    const cluster = await TestCluster.found(2);
    const voters = [1, 2] as NodeId[];
    for (const { host } of cluster.nodes) {
      for (let groupId = 100; groupId < 120; groupId += 1) {
        const machine = new ListMachine(newListDisk());
        const name = `group-${groupId}`;
        await host?.openGroup({ name, groupId, machine, bootstrap: { kind: 'found', voters } });
      }
    }
    await cluster.pass(60);
    const before = cluster.nodes.map(({ host }) => host?.counters);
    await cluster.pass(10);
    for (const [at, { host }] of cluster.nodes.entries()) {
      const frames = (host?.counters.framesSent ?? 0) - (before[at]?.framesSent ?? 0);
      const messages = (host?.counters.messagesSent ?? 0) - (before[at]?.messagesSent ?? 0);
      expect(frames).toBeLessThanOrEqual(30);
      expect(messages).toBeGreaterThan(80);
    }
    await cluster.stopAll();
  });

  test('proposals of one turn share a flush on each node', async () => {
    const cluster = await TestCluster.found(3);
    const leader = await cluster.leader();
    await cluster.propose('warm');
    const before = leader.host?.counters.flushes ?? 0;
    const group = leader.group as RaftGroup<number>;
    const all = Array.from({ length: 500 }, (_, at) => group.propose(bytes(`${at}`), 5000));
    await cluster.during(Promise.all(all));
    expect((leader.host?.counters.flushes ?? 0) - before).toBeLessThanOrEqual(2);
    await cluster.stopAll();
  });

  test('a sleeping group of one voter costs no timer', async () => {
    const cluster = await TestCluster.found(1, {
      group: { raftOptions: { quiesceAfterTicks: 5 } },
    });
    await cluster.propose('a');
    await cluster.pass(20);
    expect(cluster.timers.waitsMs).toEqual([]);
    await cluster.propose('b');
    expect(itemsOf(cluster.nodes[0] as TestNode)).toEqual(['a', 'b']);
    await cluster.stopAll();
  });

  test('a sleeping group sends signs of life only, and notices when its leader dies', async () => {
    const cluster = await TestCluster.found(3, {
      group: { raftOptions: { quiesceAfterTicks: 5 } },
    });
    await cluster.propose('a');
    await cluster.pass(30);
    const leader = await cluster.leader();
    const before = leader.host?.counters.messagesSent;
    await cluster.pass(30);
    expect(leader.host?.counters.messagesSent).toBe(before);
    const { term } = leader.group?.status ?? { term: 0 };
    await cluster.crash(leader);
    await cluster.until(() =>
      cluster.nodes.some(
        ({ group }) => group?.status.role === 'leader' && group.status.term > term,
      ),
    );
    await cluster.stopAll();
  });
});

describe('a promise', () => {
  /** Three nodes; flushes of those named wait until `release`. */
  async function withSlowDisks(): Promise<{
    cluster: TestCluster;
    slow: Set<NodeId>;
    release: () => void;
  }> {
    const cluster = new TestCluster();
    const slow = new Set<NodeId>();
    let release: () => void = () => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const voters = [1, 2, 3] as NodeId[];
    for (const id of voters) {
      const node = cluster.addNode(id);
      node.wrap = (disk) =>
        new FaultyFileSystem(disk, ({ kind }) =>
          kind === 'syncData' && slow.has(id) ? { kind: 'slow', until } : null,
        );
      await cluster.start(node, { kind: 'found', voters });
    }
    await cluster.propose('first');
    return { cluster, slow, release };
  }

  test('of followers waits for their flush', async () => {
    const { cluster, slow, release } = await withSlowDisks();
    const leader = await cluster.leader();
    for (const { id } of cluster.nodes) if (id !== leader.id) slow.add(id);
    let isSettled = false;
    const group = leader.group as RaftGroup<number>;
    const proposed = group.propose(bytes('second'), 60_000).finally(() => (isSettled = true));
    await cluster.pass(3);
    expect(isSettled).toBe(false);
    expect(group.status.lastIndex).toBe(group.status.commitIndex + 1);
    release();
    expect((await cluster.during(proposed)).result).toBe(2);
    await cluster.stopAll();
  });

  test('of the leader may be its followers’ alone, but it applies after its own flush', async () => {
    const { cluster, slow, release } = await withSlowDisks();
    const leader = await cluster.leader();
    slow.add(leader.id);
    const group = leader.group as RaftGroup<number>;
    const proposed = group.propose(bytes('second'), 60_000);
    await cluster.pass(3);
    expect(group.status.commitIndex).toBe(group.status.lastIndex);
    expect(itemsOf(leader)).toEqual(['first']);
    release();
    expect((await cluster.during(proposed)).result).toBe(2);
    await cluster.stopAll();
  });

  test('of a vote waits for its flush', async () => {
    const { cluster, slow, release } = await withSlowDisks();
    const leader = await cluster.leader();
    await cluster.stop(leader);
    for (const { id } of cluster.nodes) slow.add(id);
    await cluster.pass(60);
    expect(cluster.nodes.some(({ group }) => group?.status.role === 'leader')).toBe(false);
    release();
    await cluster.propose('after');
    await cluster.stopAll();
  });
});

describe('limits', () => {
  test('a proposal that is too large is refused', async () => {
    const cluster = await TestCluster.found(1);
    const { group } = await cluster.leader();
    const fault = await faultOf(group?.propose(new Uint8Array(2 * 1024 * 1024 + 1), 1000));
    expect(fault).toMatchObject({ code: 'RAFT_REFUSED', reason: 'tooLarge' });
    await cluster.stopAll();
  });

  test('a machine that does not keep up makes the leader refuse', async () => {
    const cluster = await TestCluster.found(1);
    const node = await cluster.leader();
    let open: () => void = () => undefined;
    (node.machine as ListMachine).gate = new Promise((resolve) => {
      open = resolve;
    });
    const group = node.group as RaftGroup<number>;
    const large = new Uint8Array(2 * 1024 * 1024);
    const held = Array.from({ length: 32 }, () => group.propose(large, 60_000));
    await settle();
    const fault = await faultOf(group.propose(large, 60_000));
    expect(fault).toMatchObject({ code: 'RAFT_REFUSED', reason: 'overloaded' });
    open();
    expect(await Promise.all(held)).toHaveLength(32);
    await cluster.stopAll();
  });

  test('a proposal that is not answered in time has an unknown outcome, and may still happen', async () => {
    const cluster = await TestCluster.found(1);
    const node = await cluster.leader();
    let open: () => void = () => undefined;
    (node.machine as ListMachine).gate = new Promise((resolve) => {
      open = resolve;
    });
    const group = node.group as RaftGroup<number>;
    const fault = faultOf(group.propose(bytes('slow'), 300));
    await cluster.pass(4);
    expect(await fault).toMatchObject({ code: 'RAFT_OUTCOME_UNKNOWN' });
    open();
    await settle();
    expect(itemsOf(node)).toEqual(['slow']);
    await cluster.stopAll();
  });
});

describe('clocks', () => {
  test('that jump do not matter: only the monotonic one counts', async () => {
    const cluster = await TestCluster.found(3);
    const leader = await cluster.leader();
    const { term } = leader.group?.status ?? { term: 0 };
    const { clock } = cluster.timers;
    const real = clock.nowMs.bind(clock);
    clock.nowMs = () => real() + 86_400_000;
    await cluster.pass(30);
    clock.nowMs = () => real() - 86_400_000;
    await cluster.pass(30);
    expect(leader.group?.status).toMatchObject({ role: 'leader', term });
    await cluster.stopAll();
  });

  test('that stood still: missed ticks come before anything else, so a lease is over', async () => {
    const cluster = await TestCluster.found(3, { group: { raftOptions: { reads: 'lease' } } });
    await cluster.propose('a');
    const leader = await cluster.leader();
    cluster.network.cut((from, to) => from === leader.id || to === leader.id);
    await settle();
    cluster.timers.clock.advance(5000);
    const fault = await faultOf(
      cluster.during(leader.group?.readBarrier(500) as Promise<LogIndex>),
    );
    expect(fault).toMatchObject({ code: 'RAFT_UNAVAILABLE' });
    await cluster.stopAll();
  });
});

describe('closing', () => {
  test('answers what is under way, frees the directory and closes the machine', async () => {
    const cluster = await TestCluster.found(3);
    const leader = await cluster.leader();
    const { machine, host } = leader;
    cluster.network.cut(() => true);
    const fault = faultOf(leader.group?.propose(bytes('x'), 60_000));
    await settle();
    await cluster.stop(leader);
    expect(await fault).toMatchObject({ code: 'RAFT_OUTCOME_UNKNOWN' });
    expect(machine?.isClosed).toBe(true);
    await host?.close();
    await cluster.start(leader);
    await cluster.stopAll();
  });
});
