/** Shard sets of several servers in one process: groups without a log, and what each server has on disk. */

import type { ShardRetention } from '@robustmq/placement-registry';
import type { RaftBootstrap } from '@robustmq/raft-driver';
import {
  type HostedShard,
  type HostedShardStatus,
  type ShardSet,
  ShardSetError,
  type StoredReplica,
} from '../shards/shard-set.ts';

interface Group {
  term: number;
  leader: number | null;
  voters: readonly number[];
  learners: readonly number[];
}

/** The groups of all servers. */
export class MemoryShardSets {
  readonly groups: Map<number, Group> = new Map();
  readonly sets: Map<number, MemoryShardSet> = new Map();
  /** Groups whose data may go although their voters are complete. */
  readonly deleted: Set<number> = new Set();
  /** What must never happen. */
  readonly violations: string[] = [];

  /** A server starts, with what its disk has. */
  start(node: number): MemoryShardSet {
    const set = new MemoryShardSet(node, this, this.sets.get(node)?.disk ?? new Set());
    this.sets.set(node, set);
    return set;
  }

  /** A server is gone at once; its disk stays. */
  stop(node: number): void {
    this.sets.get(node)?.hosted.clear();
    this.elect();
  }

  hosts(node: number, groupId: number): boolean {
    const set = this.sets.get(node);
    return [...(set?.hosted.values() ?? [])].some((shard) => shard.groupId === groupId);
  }

  /** Gives every group without a leader, and with a majority, the next term; takes it from the others. */
  elect(): void {
    for (const [groupId, group] of this.groups) {
      const up = group.voters.filter((node) => this.hosts(node, groupId));
      const isMajority = up.length * 2 > group.voters.length;
      const isLed = isMajority && group.leader !== null && up.includes(group.leader);
      if (isLed) continue;
      const leader = isMajority ? (up[0] ?? null) : null;
      if (leader !== group.leader) this.lead(group, leader);
    }
  }

  lead(group: Group, leader: number | null): void {
    group.leader = leader;
    if (leader !== null) group.term += 1;
    for (const set of this.sets.values()) set.tell();
  }
}

/** The replicas of one server. */
export class MemoryShardSet implements ShardSet {
  readonly node: number;
  readonly hosted: Map<string, HostedShard> = new Map();
  /** Group ids. */
  readonly disk: Set<number>;
  readonly retained: Map<string, ShardRetention> = new Map();
  readonly #all: MemoryShardSets;
  readonly #listeners = new Set<() => void>();

  constructor(node: number, all: MemoryShardSets, disk: Set<number>) {
    this.node = node;
    this.disk = disk;
    this.#all = all;
  }

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  list(): readonly HostedShardStatus[] {
    return [...this.hosted.keys()].flatMap((name) => this.statusOf(name) ?? []);
  }

  statusOf(name: string): HostedShardStatus | null {
    const shard = this.hosted.get(name);
    if (shard === undefined) return null;
    const group = this.#all.groups.get(shard.groupId);
    const members = [...(group?.voters ?? []), ...(group?.learners ?? [])];
    const leads = group?.leader === this.node;
    const others = members.filter((node) => node !== this.node);
    return {
      ...shard,
      phase: 'open',
      failure: '',
      role: leads ? 'leader' : 'follower',
      leader: group?.leader ?? null,
      term: group?.term ?? 0,
      voters: group?.voters ?? [],
      learners: group?.learners ?? [],
      commitIndex: 1,
      appliedIndex: 1,
      followers: leads ? others.map((node) => ({ node, matchIndex: 1, mode: 'replicate' })) : [],
    };
  }

  async open(shard: HostedShard, bootstrap: RaftBootstrap): Promise<void> {
    const { groupId, name } = shard;
    const isNew = !this.disk.has(groupId);
    const group = this.#all.groups.get(groupId);
    if (isNew && bootstrap.kind === 'found') {
      if (group !== undefined && group.voters.join() !== bootstrap.voters.join()) {
        this.#all.violations.push(`${this.node} founds ${name} once more`);
      }
      if (group === undefined) {
        const voters = bootstrap.voters;
        this.#all.groups.set(groupId, { term: 0, leader: null, voters, learners: [] });
      }
    }
    this.disk.add(groupId);
    this.hosted.set(name, shard);
    this.#all.elect();
  }

  retain(name: string, retention: ShardRetention): void {
    if (this.hosted.has(name)) this.retained.set(name, retention);
  }

  async close(name: string, content: 'keep' | 'delete'): Promise<void> {
    const shard = this.hosted.get(name);
    if (shard === undefined) return;
    const { groupId } = shard;
    this.hosted.delete(name);
    if (content === 'delete') {
      const isVoter = this.#all.groups.get(groupId)?.voters.includes(this.node) === true;
      if (isVoter && !this.#all.deleted.has(groupId)) {
        this.#all.violations.push(`${this.node} deletes its copy of ${name}, and is a voter`);
      }
      this.disk.delete(groupId);
    }
    this.#all.elect();
  }

  async stored(): Promise<readonly StoredReplica[]> {
    return [...this.disk].map((groupId) => ({ kind: 'messages', groupId }));
  }

  async deleteStored({ groupId }: StoredReplica): Promise<void> {
    this.disk.delete(groupId);
  }

  async changeMembers(name: string, voters: readonly number[]): Promise<'done' | 'waiting'> {
    const { group, groupId } = this.#led(name);
    const hosts = (node: number): boolean => this.#all.hosts(node, groupId);
    group.learners = voters.filter((node) => !group.voters.includes(node));
    await Promise.resolve();
    const isMajority = voters.filter(hosts).length * 2 > voters.length;
    if (!group.learners.every(hosts) || !isMajority) return 'waiting';
    group.voters = voters;
    group.learners = [];
    this.#all.elect();
    return 'done';
  }

  async handLeadershipTo(name: string, node: number): Promise<void> {
    const { group, groupId } = this.#led(name);
    if (!this.#all.hosts(node, groupId)) {
      throw new ShardSetError('SHARD_UNAVAILABLE', `${name}: ${node} does not answer`);
    }
    this.#all.lead(group, node);
  }

  onLeadership(listener: (status: HostedShardStatus) => void): { stop(): void } {
    const tell = (): void => {
      for (const status of this.list()) listener(status);
    };
    this.#listeners.add(tell);
    return { stop: () => void this.#listeners.delete(tell) };
  }

  #led(name: string): { readonly group: Group; readonly groupId: number } {
    const groupId = this.hosted.get(name)?.groupId ?? 0;
    const group = this.#all.groups.get(groupId);
    if (group === undefined || group.leader !== this.node) {
      throw new ShardSetError('SHARD_NOT_LEADER', `${name} is not led here`);
    }
    return { group, groupId };
  }
}
