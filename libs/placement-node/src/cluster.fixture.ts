/** Members of one group in this process: a real log and store in a temporary directory, frames in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Clock,
  nodeFileSystem,
  systemClock,
  systemRandom,
  systemTimers,
  type Timers,
} from '@robustmq/environment';
import type { CallOptions, StateMachineLimits, Transaction } from '@robustmq/placement';
import type { NodeId } from '@robustmq/raft';
import { MemoryPeerNetwork, openRaftHost, type RaftHost } from '@robustmq/raft-driver';
import type { Controller } from './controllers.ts';
import { openPlacementNode } from './open-placement-node.ts';
import type { PlacementNode } from './placement-node.ts';

const TICK_MS = 10;

export const SOON: CallOptions = { deadlineMs: 5000, signal: null };

export interface Member {
  readonly id: NodeId;
  readonly node: PlacementNode;
  readonly host: RaftHost;
}

export class TestCluster {
  readonly network: MemoryPeerNetwork = new MemoryPeerNetwork(systemTimers);
  readonly members: Map<number, Member> = new Map<number, Member>();
  /** What members measure the time of leases with; the Raft host has the system's. */
  readonly time: { readonly clock: Clock; readonly timers: Timers };
  readonly #root: string = mkdtempSync(join(tmpdir(), 'placement-node-'));
  readonly controllers: Controller[] = [];
  /** null: those of every placement center. */
  limits: StateMachineLimits | null = null;

  constructor(
    time: { readonly clock: Clock; readonly timers: Timers } = {
      clock: systemClock,
      timers: systemTimers,
    },
  ) {
    this.time = time;
  }

  async start(id: number, bootstrap: readonly number[] | 'join'): Promise<Member> {
    const self = id as NodeId;
    const environment = {
      fileSystem: nodeFileSystem,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    };
    const host = await openRaftHost({
      directory: join(this.#root, String(id), 'raft'),
      nodeId: self,
      clusterId: 'test',
      environment,
      transport: this.network.open(self),
      tickMs: TICK_MS,
      onFatal: (fault) => {
        throw new Error(fault.code);
      },
      onRefused: ({ sentence }) => {
        throw new Error(sentence);
      },
    });
    const node = await openPlacementNode({
      host,
      directory: join(this.#root, String(id), 'state'),
      bootstrap:
        bootstrap === 'join'
          ? { kind: 'join' }
          : { kind: 'found', voters: bootstrap.map((voter) => voter as NodeId) },
      addresses: new Map(
        bootstrap === 'join'
          ? []
          : bootstrap.map((voter) => [voter as NodeId, `node-${String(voter)}:1`]),
      ),
      onPeers: () => {},
      environment: { fileSystem: nodeFileSystem, ...this.time },
      tickMs: TICK_MS,
      // Long enough that a busy machine deposes nobody.
      raftOptions: { electionTimeoutTicks: 40, heartbeatTicks: 4 },
      compaction: {},
      leaseCheckMs: 20,
      ...(this.limits === null ? {} : { limits: this.limits }),
      controllers: this.controllers,
      onControllerFailure: () => {},
      onLeadership: () => {},
    });
    const member = { id: self, node, host };
    this.members.set(id, member);
    return member;
  }

  async startAll(count: number): Promise<void> {
    const ids = Array.from({ length: count }, (_, at) => at + 1);
    await Promise.all(ids.map((id) => this.start(id, ids)));
  }

  async stop(id: number): Promise<void> {
    const member = this.members.get(id);
    this.members.delete(id);
    await member?.node.close();
    await member?.host.close();
  }

  /** The member that leads and has read the state of its predecessors. */
  async leader(): Promise<Member> {
    return until(() => [...this.members.values()].find(({ node }) => node.status.leads));
  }

  async follower(): Promise<Member> {
    const leader = await this.leader();
    return until(() =>
      [...this.members.values()].find(
        ({ id, node }) => id !== leader.id && node.status.raft.leader === leader.id,
      ),
    );
  }

  async close(): Promise<void> {
    for (const id of [...this.members.keys()]) await this.stop(id);
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Looks again each turn until there is a value; the test's own timeout is the limit. */
export async function until<Value>(look: () => Value | undefined): Promise<Value> {
  for (;;) {
    const value = look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function put(key: string, text: string): Transaction {
  const value = new TextEncoder().encode(text);
  return {
    compare: [],
    then: [{ kind: 'put', key, value, lease: null }],
    otherwise: [],
    requestId: null,
  };
}
