import { settle } from '@robustmq/environment';
import type { LogIndex, NodeId } from '@robustmq/raft';
import { describe, expect, test } from 'vitest';
import type { RaftError } from './raft-error.ts';
import type { RaftGroup } from './raft-group.ts';
import { TestCluster, type TestNode } from './testing/test-cluster.ts';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function itemsOf(node: TestNode): readonly string[] {
  return node.machine?.items ?? [];
}

describe('a group of one voter', () => {
  test('leads without waiting and answers with what the machine says', async () => {
    const cluster = await TestCluster.found(1);
    await settle();
    const [node] = cluster.nodes;
    const proposed = await node?.group?.propose(bytes('a'), 1000);
    expect(proposed?.result).toBe(1);
    expect(await node?.group?.readBarrier(1000)).toBe(proposed?.id.index);
    await cluster.stopAll();
  });

  test('has after a loss of power whatever was acknowledged', async () => {
    const cluster = await TestCluster.found(1);
    const node = cluster.nodes[0] as TestNode;
    for (const text of ['a', 'b', 'c']) await cluster.propose(text);
    await cluster.crash(node);
    await cluster.start(node);
    await cluster.until(() => itemsOf(node).length === 3);
    expect(itemsOf(node)).toEqual(['a', 'b', 'c']);
    await cluster.stopAll();
  });
});

describe('a group of three voters', () => {
  test('applies every proposal on every node in the same order', async () => {
    const cluster = await TestCluster.found(3);
    const group = (await cluster.leader()).group as RaftGroup<number>;
    const texts = Array.from({ length: 100 }, (_, at) => `item ${at}`);
    const all = texts.map((text) => group.propose(bytes(text), 5000));
    const results = await cluster.during(Promise.all(all));
    expect(results.map((each) => each.result)).toEqual(texts.map((_, at) => at + 1));
    await cluster.until(() => cluster.nodes.every((node) => itemsOf(node).length === 100));
    for (const node of cluster.nodes) expect(itemsOf(node)).toEqual(texts);
    await cluster.stopAll();
  });

  test('goes on with two of three, and the third one catches up', async () => {
    const cluster = await TestCluster.found(3);
    const leader = await cluster.leader();
    await cluster.propose('before');
    await cluster.crash(leader);
    await cluster.propose('without');
    await cluster.start(leader);
    await cluster.until(() => itemsOf(leader).length === 2);
    expect(itemsOf(leader)).toEqual(['before', 'without']);
    await cluster.stopAll();
  });

  test('survives a loss of power of all nodes at once', async () => {
    const cluster = await TestCluster.found(3);
    for (const text of ['a', 'b']) await cluster.propose(text);
    for (const node of cluster.nodes) await cluster.crash(node);
    for (const node of cluster.nodes) await cluster.start(node);
    await cluster.propose('c');
    await cluster.until(() => cluster.nodes.every((node) => itemsOf(node).length === 3));
    for (const node of cluster.nodes) expect(itemsOf(node)).toEqual(['a', 'b', 'c']);
    await cluster.stopAll();
  });

  test('refuses proposals away from the leader, and says who leads', async () => {
    const cluster = await TestCluster.found(3);
    const leader = await cluster.leader();
    await cluster.until(() => cluster.nodes.every((n) => n.group?.status.leader === leader.id));
    const follower = cluster.nodes.find((node) => node !== leader) as TestNode;
    const refused = await follower.group
      ?.propose(bytes('x'), 1000)
      .catch((error: unknown) => error);
    expect((refused as RaftError).fault).toEqual({
      code: 'RAFT_REFUSED',
      reason: 'notLeader',
      leader: leader.id,
    });
    await cluster.stopAll();
  });

  test('leaves the outcome open when the leader loses its followers', async () => {
    const cluster = await TestCluster.found(3);
    const leader = await cluster.leader();
    await cluster.propose('before');
    cluster.network.cut((from, to) => from === leader.id || to === leader.id);
    const proposed = leader.group?.propose(bytes('lost'), 60_000).catch((error: unknown) => error);
    const late = leader.group?.propose(bytes('late'), 300).catch((error: unknown) => error);
    const outcome = (await cluster.during(proposed as Promise<unknown>)) as RaftError;
    expect(outcome.fault.code).toBe('RAFT_OUTCOME_UNKNOWN');
    expect(((await late) as RaftError).fault.code).toBe('RAFT_OUTCOME_UNKNOWN');
    cluster.network.cut(() => false);
    await cluster.propose('after');
    await cluster.until(() => cluster.nodes.every((node) => itemsOf(node).at(-1) === 'after'));
    const lists = cluster.nodes.map((node) => itemsOf(node));
    expect(lists[1]).toEqual(lists[0]);
    expect(lists[2]).toEqual(lists[0]);
    await cluster.stopAll();
  });

  test('shows a read barrier on any node everything acknowledged before', async () => {
    const cluster = await TestCluster.found(3);
    await cluster.propose('a');
    for (const node of cluster.nodes) {
      const barrier = node.group?.readBarrier(5000) as Promise<LogIndex>;
      expect(await cluster.during(barrier)).toBeGreaterThan(0);
      expect(itemsOf(node)).toEqual(['a']);
    }
    await cluster.stopAll();
  });

  test('gives up a read that nobody confirms', async () => {
    const cluster = await TestCluster.found(3);
    const leader = await cluster.leader();
    cluster.network.cut(() => true);
    const barrier = leader.group?.readBarrier(500).catch((error: unknown) => error);
    const error = await cluster.during(barrier as Promise<unknown>);
    expect((error as RaftError).fault.code).toBe('RAFT_UNAVAILABLE');
    await cluster.stopAll();
  });

  test('hands leadership over', async () => {
    const cluster = await TestCluster.found(3);
    const leader = await cluster.leader();
    await cluster.propose('a');
    const to = cluster.nodes.find((node) => node !== leader) as TestNode;
    const seen: (NodeId | null)[] = [];
    const listening = leader.group?.onLeadership((status) => seen.push(status.leader));
    await cluster.during(leader.group?.transferLeadership(to.id, 5000) as Promise<void>);
    expect(to.group?.status.role).toBe('leader');
    expect(seen.at(-1)).toBe(to.id);
    listening?.stop();
    await cluster.stopAll();
  });

  test('adds a learner, promotes it, and removes a voter', async () => {
    const cluster = await TestCluster.found(3);
    await cluster.propose('a');
    const joining = cluster.addNode(4 as NodeId);
    await cluster.start(joining);
    const { group } = await cluster.leader();
    const change = async (
      kind: 'addLearner' | 'promote' | 'remove',
      node: number,
    ): Promise<void> => {
      await cluster.during(
        group?.changeMembership([{ kind, node: node as NodeId }], 10_000) as Promise<unknown>,
      );
    };
    await change('addLearner', 4);
    await cluster.until(() => itemsOf(joining).length === 1);
    await change('promote', 4);
    expect(group?.status.configuration.voters).toEqual([1, 2, 3, 4]);
    const leader = await cluster.leader();
    const other = cluster.nodes.find((node) => node !== leader && node !== joining) as TestNode;
    await change('remove', other.id);
    expect(group?.status.configuration.voters).not.toContain(other.id);
    await cluster.stopAll();
  });
});
