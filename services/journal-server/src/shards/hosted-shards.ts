/**
 * The shards of this node: opened, changed and closed one step at a time each, and found by the data
 * plane.
 *
 *     open ──▶ opening ──▶ open ──▶ closing ──▶ gone
 *                 └──▶ failed ──▶ close
 */
import type { Clock, Timers } from '@robustmq/environment';
import type { OpenReplica, ReplicaDirectory } from '@robustmq/journal-client';
import { KEEP_UNTIL_RELEASED, type ShardRetention } from '@robustmq/placement-registry';
import type { NodeId, RaftStatus } from '@robustmq/raft';
import type { RaftBootstrap } from '@robustmq/raft-driver';
import { changeGroupMembers } from './change-members.ts';
import type { OpenedReplica, ReplicaAmounts, ReplicaOpener } from './replica-opener.ts';
import {
  type HostedShard,
  type HostedShardStatus,
  type ShardSet,
  ShardSetError,
  type StoredReplica,
} from './shard-set.ts';

/** What the shards of a node stand on. */
export interface HostedShardsOptions {
  readonly self: number;
  readonly opener: ReplicaOpener;
  readonly clock: Clock;
  readonly timers: Timers;
  /** As `host:port`; null: not known. */
  addressOf(node: number): string | null;
}

interface Hosted {
  readonly shard: HostedShard;
  phase: HostedShardStatus['phase'];
  failure: string;
  retention: ShardRetention;
  opened: OpenedReplica | null;
  /** For the data plane; null unless open. */
  served: ServedReplica | null;
  leadership: { stop(): void } | null;
}

interface ServedReplica {
  readonly replica: OpenReplica;
  /** Tells those who use it that the leader changed, or that it is closed. */
  changed(): void;
}

/** {@link ShardSet} and {@link ReplicaDirectory} */
export class HostedShards implements ShardSet, ReplicaDirectory {
  readonly #options: HostedShardsOptions;
  readonly #hosted = new Map<string, Hosted>();
  /** The last step of each shard; the next one waits for it. */
  readonly #steps = new Map<string, Promise<unknown>>();
  readonly #listeners = new Set<(status: HostedShardStatus) => void>();

  constructor(options: HostedShardsOptions) {
    this.#options = options;
  }

  list(): readonly HostedShardStatus[] {
    const names = [...this.#hosted.keys()].sort();
    return names.map((name) => statusOf(this.#hosted.get(name) as Hosted));
  }

  statusOf(name: string): HostedShardStatus | null {
    const hosted = this.#hosted.get(name);
    return hosted === undefined ? null : statusOf(hosted);
  }

  /** Of a shard that is open; null: it is not. */
  amountsOf(name: string): ReplicaAmounts | null {
    return this.#hosted.get(name)?.opened?.amounts() ?? null;
  }

  /** For other servers that mend theirs; null: it is not open here. */
  replicaOfGroup(groupId: number): OpenedReplica | null {
    for (const { shard, opened } of this.#hosted.values()) {
      if (shard.groupId === groupId) return opened;
    }
    return null;
  }

  replicaOf(name: string): OpenReplica | null {
    return this.#hosted.get(name)?.served?.replica ?? null;
  }

  addressOf(node: number): string | null {
    return this.#options.addressOf(node);
  }

  open(shard: HostedShard, bootstrap: RaftBootstrap): Promise<void> {
    return this.#next(shard.name, async () => {
      const known = this.#hosted.get(shard.name);
      if (known !== undefined) {
        assertSame(known, shard);
        return;
      }
      await this.#open(shard, bootstrap);
    });
  }

  retain(name: string, retention: ShardRetention): void {
    const hosted = this.#hosted.get(name);
    if (hosted !== undefined) hosted.retention = retention;
  }

  close(name: string, content: 'keep' | 'delete'): Promise<void> {
    return this.#next(name, async () => {
      const hosted = this.#hosted.get(name);
      if (hosted === undefined) return;
      hosted.phase = 'closing';
      await this.#closeReplica(hosted);
      if (content === 'delete') await this.#delete(hosted);
      this.#hosted.delete(name);
    });
  }

  changeMembers(
    name: string,
    voters: readonly number[],
    deadlineMs: number,
  ): Promise<'done' | 'waiting'> {
    return this.#next(name, () => {
      const { clock, self } = this.#options;
      return changeGroupMembers(this.#leading(name), voters, { name, self, clock, deadlineMs });
    });
  }

  handLeadershipTo(name: string, node: number, deadlineMs: number): Promise<void> {
    return this.#next(name, async () => {
      const opened = this.#leading(name);
      if (node === this.#options.self) return;
      try {
        await opened.transferLeadership(node as NodeId, deadlineMs);
      } catch (error) {
        throw unavailable(name, `the leadership was not handed to node ${node}`, error);
      }
    });
  }

  onLeadership(listener: (status: HostedShardStatus) => void): { stop(): void } {
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }

  stored(): Promise<readonly StoredReplica[]> {
    return this.#options.opener.stored();
  }

  async deleteStored(replica: StoredReplica): Promise<void> {
    const { groupId } = replica;
    const isHosted = [...this.#hosted.values()].some(({ shard }) => shard.groupId === groupId);
    if (isHosted) throw deleteFailed(`group ${groupId}`, new Error('it is open'));
    try {
      await this.#options.opener.delete(replica);
    } catch (error) {
      throw deleteFailed(`group ${groupId}`, error);
    }
  }

  /** Hands every leadership to another voter, as far as that works in time. Never rejects. */
  async handOverAll(deadlineMs: number): Promise<void> {
    const { self } = this.#options;
    const leading = this.list().filter(({ role }) => role === 'leader');
    await Promise.allSettled(
      leading.map(async ({ name, voters, followers }) => {
        const heirs = followers.filter(({ node }) => node !== self && voters.includes(node));
        const [heir] = heirs.toSorted((one, other) => other.matchIndex - one.matchIndex);
        if (heir !== undefined) await this.handLeadershipTo(name, heir.node, deadlineMs);
      }),
    );
  }

  /** Closes everything, keeping what is on disk. */
  async closeAll(): Promise<void> {
    await Promise.allSettled([...this.#hosted.keys()].map((name) => this.close(name, 'keep')));
  }

  /** One step of a shard at a time; one that fails does not keep the next from trying. */
  #next<Result>(name: string, step: () => Promise<Result>): Promise<Result> {
    const before = this.#steps.get(name) ?? Promise.resolve();
    const running = before.then(step, step);
    this.#steps.set(name, running);
    const forget = (): void => {
      if (this.#steps.get(name) === running) this.#steps.delete(name);
    };
    running.then(forget, forget);
    return running;
  }

  async #open(shard: HostedShard, bootstrap: RaftBootstrap): Promise<void> {
    const hosted: Hosted = {
      shard,
      phase: 'opening',
      failure: '',
      retention: KEEP_UNTIL_RELEASED,
      opened: null,
      served: null,
      leadership: null,
    };
    this.#hosted.set(shard.name, hosted);
    try {
      const opened = await this.#options.opener.open(shard, bootstrap, () => hosted.retention);
      hosted.opened = opened;
      hosted.served = servedReplica(hosted, opened, this.#options.self);
      hosted.phase = 'open';
      hosted.leadership = opened.onLeadership(() => this.#leadershipChanged(hosted));
      this.#leadershipChanged(hosted);
    } catch (error) {
      hosted.phase = 'failed';
      hosted.failure = wordsOf(error);
      const message = `shard ${shard.name} was not opened: ${hosted.failure}`;
      throw new ShardSetError('SHARD_OPEN_FAILED', message, { cause: error });
    }
  }

  async #closeReplica(hosted: Hosted): Promise<void> {
    const { opened, served } = hosted;
    hosted.leadership?.stop();
    hosted.opened = null;
    hosted.served = null;
    served?.changed();
    await opened?.close();
  }

  async #delete(hosted: Hosted): Promise<void> {
    try {
      await this.#options.opener.delete(hosted.shard);
    } catch (error) {
      const { name } = hosted.shard;
      hosted.phase = 'failed';
      hosted.failure = wordsOf(error);
      const message = `files of shard ${name} are left: ${hosted.failure}`;
      throw new ShardSetError('SHARD_DELETE_FAILED', message, { cause: error });
    }
  }

  #leading(name: string): OpenedReplica {
    const hosted = this.#hosted.get(name);
    if (hosted?.opened != null && hosted.opened.raft().role === 'leader') return hosted.opened;
    const message = `shard ${name} is not ${hosted === undefined ? 'hosted' : 'led'} on this node`;
    throw new ShardSetError('SHARD_NOT_LEADER', message);
  }

  #leadershipChanged(hosted: Hosted): void {
    hosted.served?.changed();
    const status = statusOf(hosted);
    for (const listener of [...this.#listeners]) listener(status);
  }
}

function assertSame({ shard, phase, failure }: Hosted, wanted: HostedShard): void {
  const { name } = shard;
  if (shard.kind !== wanted.kind || shard.groupId !== wanted.groupId) {
    const message = `shard ${name} is here as group ${shard.groupId} (${shard.kind}), not ${wanted.groupId}`;
    throw new ShardSetError('SHARD_MISMATCH', message);
  }
  if (phase !== 'failed') return;
  throw new ShardSetError('SHARD_OPEN_FAILED', `shard ${name} was not opened: ${failure}`);
}

function servedReplica(hosted: Hosted, opened: OpenedReplica, self: number): ServedReplica {
  const listeners = new Set<() => void>();
  // Looked at for every append: a status is a copy of much more.
  let { leader } = opened.raft();
  const replica = {
    ...opened.content,
    life: hosted.shard.groupId,
    leader: () => leader,
    isLeader: () => leader === self,
    isClosed: () => hosted.opened !== opened,
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return { stop: () => void listeners.delete(listener) };
    },
  } as OpenReplica;
  return {
    replica,
    changed: () => {
      leader = opened.raft().leader;
      for (const listener of [...listeners]) listener();
    },
  };
}

function statusOf({ shard, phase, failure, opened }: Hosted): HostedShardStatus {
  const told = { ...shard, phase, failure };
  if (opened === null) {
    const nobody = { leader: null, term: 0, voters: [], learners: [], followers: [] };
    return { ...told, role: 'none', ...nobody, commitIndex: 0, appliedIndex: 0 };
  }
  const raft = opened.raft();
  return {
    ...told,
    role: roleOf(raft),
    leader: raft.leader,
    term: raft.term,
    voters: [...raft.configuration.voters].sort((one, other) => one - other),
    learners: [...raft.configuration.learners].sort((one, other) => one - other),
    commitIndex: raft.commitIndex,
    appliedIndex: opened.amounts().appliedIndex,
    followers: raft.followers.map(({ node, matchIndex, mode }) => ({ node, matchIndex, mode })),
  };
}

function roleOf({ role }: RaftStatus): HostedShardStatus['role'] {
  return role === 'preCandidate' ? 'candidate' : role;
}

function deleteFailed(what: string, cause: unknown): ShardSetError {
  const message = `files of ${what} are left: ${wordsOf(cause)}`;
  return new ShardSetError('SHARD_DELETE_FAILED', message, { cause });
}

/** A change of a group that did not come about, or of which nothing is known. */
export function unavailable(name: string, what: string, cause: unknown): ShardSetError {
  const message = `shard ${name}: ${what}: ${wordsOf(cause)}`;
  return new ShardSetError('SHARD_UNAVAILABLE', message, { cause });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
