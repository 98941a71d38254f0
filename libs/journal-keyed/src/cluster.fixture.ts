/** Replicas of one keyed shard in this process: real logs and states in a temporary directory. */
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem, systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Clock } from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import {
  type CompactionOptions,
  MemoryPeerNetwork,
  openRaftHost,
  type RaftBootstrap,
  type RaftEnvironment,
  type RaftHost,
} from '@robustmq/raft-driver';
import type { KeyedLimits, KeyedReplica } from './keyed-replica.ts';
import { openKeyedReplica } from './open-keyed-replica.ts';

const TICK_MS = 10;
const FIRST_GROUP = 7;
const ENVIRONMENT: RaftEnvironment = {
  fileSystem: nodeFileSystem,
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
};

export interface Member {
  readonly id: NodeId;
  readonly host: RaftHost;
  readonly replica: KeyedReplica;
}

export interface KeyedClusterOptions {
  readonly limits?: Partial<KeyedLimits>;
  readonly compaction?: Partial<CompactionOptions>;
  /** What commands are stamped with. */
  readonly clock?: Clock;
}

export class KeyedCluster {
  readonly network: MemoryPeerNetwork = new MemoryPeerNetwork(systemTimers);
  readonly members: Map<number, Member> = new Map<number, Member>();
  readonly #options: KeyedClusterOptions;
  readonly #root: string = mkdtempSync(join(tmpdir(), 'robustmq-keyed-'));

  constructor(options: KeyedClusterOptions = {}) {
    this.#options = options;
  }

  static async found(count: number, options: KeyedClusterOptions = {}): Promise<KeyedCluster> {
    const cluster = new KeyedCluster(options);
    const ids = Array.from({ length: count }, (_, at) => at + 1);
    for (const id of ids) await cluster.start(id, ids);
    return cluster;
  }

  /** @param voters  of a new group; `join` for one that exists */
  async start(id: number, voters: readonly number[] | 'join'): Promise<Member> {
    const nodeId = id as NodeId;
    const host = await openRaftHost({
      directory: join(this.#folderOf(id), 'raft'),
      nodeId,
      clusterId: 'test',
      environment: ENVIRONMENT,
      transport: this.network.open(nodeId),
      tickMs: TICK_MS,
      segmentBytesMax: 256 * 1024,
      onFatal: (fault) => {
        throw new Error(fault.code);
      },
      onRefused: ({ sentence }) => {
        throw new Error(sentence);
      },
    });
    const bootstrap =
      voters === 'join'
        ? ({ kind: 'join' } as const)
        : ({ kind: 'found', voters: voters.map((voter) => voter as NodeId) } as const);
    const replica = await this.#open(host, FIRST_GROUP, bootstrap);
    const member = { id: nodeId, host, replica };
    this.members.set(id, member);
    return member;
  }

  /** One more group, on all members. @returns its replicas */
  async openTable(groupId: number): Promise<readonly KeyedReplica[]> {
    const members = [...this.members.values()];
    const voters = members.map(({ id }) => id);
    const bootstrap = { kind: 'found', voters } as const;
    return Promise.all(members.map(({ host }) => this.#open(host, groupId, bootstrap)));
  }

  #open(host: RaftHost, groupId: number, bootstrap: RaftBootstrap): Promise<KeyedReplica> {
    const { limits, compaction, clock } = this.#options;
    return openKeyedReplica({
      host,
      environment: { ...ENVIRONMENT, clock: clock ?? systemClock },
      directory: join(this.#folderOf(host.nodeId), `state-${groupId}`),
      name: `test/table-${groupId}`,
      groupId,
      bootstrap,
      ...(limits === undefined ? {} : { limits }),
      ...(compaction === undefined ? {} : { compaction }),
    });
  }

  async stop(id: number): Promise<void> {
    const member = this.members.get(id);
    this.members.delete(id);
    await member?.replica.close();
    await member?.host.close();
  }

  /** Ends a member and leaves on its disk what a killed process would: nothing is written at the end. */
  async kill(id: number): Promise<void> {
    const folder = this.#folderOf(id);
    cpSync(folder, `${folder}-killed`, { recursive: true });
    await this.stop(id);
    rmSync(folder, { recursive: true });
    renameSync(`${folder}-killed`, folder);
  }

  /** The member that leads, once one does. */
  async leader(): Promise<Member> {
    for (;;) {
      for (const member of this.members.values()) {
        if (member.replica.status.raft.role === 'leader') return member;
      }
      await this.turn();
    }
  }

  /** Waits until it holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.turn();
  }

  turn(): Promise<void> {
    return new Promise((resolve) => systemTimers.after(1, resolve));
  }

  async close(): Promise<void> {
    for (const id of [...this.members.keys()]) await this.stop(id);
    rmSync(this.#root, { recursive: true, force: true });
  }

  #folderOf(id: number): string {
    return join(this.#root, String(id));
  }
}
