/**
 * Keeps the shards of a journal server as the registry says, and tells the registry how they stand.
 *
 *     watch servers, shards, states, deletions ──▶ one step per shard (`hosting-step.ts`) ──▶ look again
 *                                     each leader here ──▶ tells its group (`told-states.ts`)
 *
 * A shard has one step and one message under way at a time; different shards go on side by side, up to a
 * bound. What fails is tried again after a pause that grows. While the placement center is away, shards
 * go on serving as they are: nothing is opened, closed or deleted.
 */

import type { Clock, RandomSource, Timers } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import {
  type Controller,
  type Registries,
  RegistryError,
  type ShardRecord,
  type ShardState,
  Wakeup,
} from '@robustmq/placement-registry';
import type { ShardSet, StoredReplica } from '../shards/shard-set.ts';
import { hostedName, type HostingStep, nextHostingStep } from './hosting-step.ts';
import { RegistryView } from './registry-view.ts';
import { type OwnNode, newsIn, type ShardAmounts, stateOf } from './told-states.ts';
import { type LaneOutcome, Lanes } from './lanes.ts';

/** What the loop drives, reads and writes. */
export interface HostShardsOptions {
  /** As registered now: another registration needs another loop. */
  readonly self: OwnNode;
  readonly shardSet: ShardSet;
  /** Of a shard that is open here; null: it is not known now. */
  amountsOf(name: string): ShardAmounts | null;
  readonly registries: Pick<Registries, 'nodes' | 'shards' | 'shardStates' | 'deletedShards'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly rules: HostShardsRules;
  /** For each call of the registry. */
  readonly call: CallOptions;
  /** Told of each step that failed; it is tried again. Must not throw. */
  onFailure(failure: {
    readonly shard: string;
    readonly step: string;
    readonly error: unknown;
  }): void;
}

/** How much at once, how long and how often. */
export interface HostShardsRules {
  /** LIMIT: shardStepsMax (more shards than this are not opened, closed or changed at once). */
  readonly stepsMax: number;
  /** How long a change of members may take to be committed; the end of a process waits for it. */
  readonly changeDeadlineMs: number;
  /** The same for handing a leadership over: one that has not come about soon will not. */
  readonly handOverDeadlineMs: number;
  /** How old what was told of offsets and bytes may become. */
  readonly tellEveryMs: number;
  /** Without a change it looks again after this. */
  readonly lookEveryMs: number;
}

/** What fits a server with hundreds of shards. */
export const DEFAULT_HOST_SHARDS_RULES: HostShardsRules = {
  stepsMax: 8,
  changeDeadlineMs: 5_000,
  handOverDeadlineMs: 2_000,
  tellEveryMs: 10_000,
  lookEveryMs: 1_000,
};

/** Runs until it is stopped; every step under way is waited for then. The shards stay open. */
export function hostShards(options: HostShardsOptions): Controller {
  return { name: 'host-shards', run: (signal) => new Hosting(options, signal).run() };
}

class Hosting {
  readonly #options: HostShardsOptions;
  readonly #signal: AbortSignal;
  readonly #wakeup = new Wakeup();
  readonly #view: RegistryView;
  readonly #steps: Lanes;
  readonly #messages: Lanes;
  /** What earlier processes left on disk and nothing has opened yet, by group id. */
  readonly #leftovers = new Map<number, StoredReplica>();
  readonly #told = new Map<string, { readonly state: ShardState; readonly atMs: number }>();

  constructor(options: HostShardsOptions, signal: AbortSignal) {
    const { clock, random, rules } = options;
    this.#options = options;
    this.#signal = signal;
    this.#view = new RegistryView(options.registries, options.call);
    const edges = { clock, random, onEnd: () => this.#wakeup.wake() };
    this.#steps = new Lanes({ ...edges, lanesMax: rules.stepsMax });
    this.#messages = new Lanes({ ...edges, lanesMax: rules.stepsMax });
  }

  async run(): Promise<void> {
    const { shardSet, timers, rules } = this.#options;
    for (const replica of await shardSet.stored()) this.#leftovers.set(replica.groupId, replica);
    const following = this.#view.follow(() => this.#wakeup.wake());
    // It is awaited at the end; until then its failure has been seen through `hasEnded`.
    following.catch(() => {});
    const leadership = shardSet.onLeadership(() => this.#wakeup.wake());
    try {
      while (!this.#signal.aborted && !this.#view.hasEnded) {
        const waitMs = Math.min(rules.lookEveryMs, this.#steps.restMs());
        await this.#wakeup.wait(timers, waitMs, this.#signal);
        if (this.#view.isComplete && !this.#view.hasEnded && !this.#signal.aborted) this.#look();
      }
    } finally {
      leadership.stop();
      this.#view.cancel();
      await Promise.all([this.#steps.idle(), this.#messages.idle()]);
    }
    await following;
  }

  /** Begins what can be begun; whatever ends wakes the next look. */
  #look(): void {
    const { shardSet } = this.#options;
    const hosted = new Map(shardSet.list().map((status) => [status.name, status]));
    const records = new Map(this.#view.shards().map((record) => [hostedName(record), record]));
    for (const name of new Set([...hosted.keys(), ...records.keys()])) {
      const record = records.get(name) ?? null;
      if (record !== null && hosted.get(name)?.groupId === record.groupId) {
        shardSet.retain(name, record.retention);
      }
      this.#tell(name, record);
      const step = this.#stepFor(name, record);
      if (step.kind === 'none') continue;
      this.#steps.begin(name, () => this.#attempt(name, step));
    }
    for (const { groupId } of hosted.values()) this.#leftovers.delete(groupId);
    this.#clearLeftovers();
    for (const name of this.#told.keys()) {
      if (!hosted.has(name)) this.#told.delete(name);
    }
  }

  /** Deletes what was deleted while this server was away. What no record names otherwise stays. */
  #clearLeftovers(): void {
    const { shardSet } = this.#options;
    for (const [groupId, replica] of this.#leftovers) {
      if (!this.#view.isDeleted(groupId)) continue;
      this.#steps.begin(`group ${groupId}`, async () => {
        try {
          await shardSet.deleteStored(replica);
        } catch (error) {
          this.#options.onFailure({ shard: `group ${groupId}`, step: 'delete', error });
          throw error;
        }
        this.#leftovers.delete(groupId);
        return 'ended';
      });
    }
  }

  #stepFor(name: string, record: ShardRecord | null): HostingStep {
    const hosted = this.#options.shardSet.statusOf(name);
    return nextHostingStep({
      self: this.#options.self.nodeId,
      record,
      state: record === null ? null : this.#view.stateOf(record),
      hosted,
      hasFiles: record !== null && this.#leftovers.has(record.groupId),
      isDeleted: hosted !== null && this.#view.isDeleted(hosted.groupId),
      alive: this.#view.alive(),
    });
  }

  async #attempt(name: string, step: HostingStep): Promise<LaneOutcome> {
    try {
      return await this.#carryOut(name, step);
    } catch (error) {
      this.#options.onFailure({ shard: name, step: step.kind, error });
      throw error;
    }
  }

  async #carryOut(name: string, step: HostingStep): Promise<LaneOutcome> {
    const { shardSet, rules } = this.#options;
    switch (step.kind) {
      case 'open':
        await shardSet.open(step.shard, step.bootstrap);
        return 'ended';
      case 'close':
        await shardSet.close(name, step.content);
        return 'ended';
      case 'changeMembers': {
        const outcome = await shardSet.changeMembers(name, step.voters, rules.changeDeadlineMs);
        return outcome === 'done' ? 'ended' : 'later';
      }
      case 'handOver':
        await shardSet.handLeadershipTo(name, step.to, rules.handOverDeadlineMs);
        return 'ended';
      default:
        return 'ended';
    }
  }

  /** If this node leads the shard and has something to say that is not known or has become old. */
  #tell(name: string, record: ShardRecord | null): void {
    const { shardSet, self, clock, rules, registries, call } = this.#options;
    const hosted = shardSet.statusOf(name);
    if (record === null || hosted === null || hosted.groupId !== record.groupId) return;
    if (hosted.phase !== 'open' || hosted.role !== 'leader') return;
    const amounts = this.#options.amountsOf(name);
    if (amounts === null) return;
    const state = stateOf(self, record, { hosted, amounts, nowMs: clock.nowMs() });
    // What was told just now may not be in the watch yet.
    const told = this.#told.get(name);
    const news = newsIn(state, told?.state ?? this.#view.stateOf(record));
    const sinceMs = clock.monotonicMs() - (told?.atMs ?? -Infinity);
    if (news === 'none' || (news === 'amounts' && sinceMs < rules.tellEveryMs)) return;
    this.#messages.begin(name, async () => {
      try {
        await registries.shardStates.tell(state, call);
        this.#told.set(name, { state, atMs: clock.monotonicMs() });
        return 'ended';
      } catch (error) {
        if (!isOvertaken(error)) this.#options.onFailure({ shard: name, step: 'tell', error });
        throw error;
      }
    });
  }
}

/** Somebody leads in a later term, or the shard is gone: the watch will tell. */
function isOvertaken(error: unknown): boolean {
  return error instanceof RegistryError && error.fault.code === 'REGISTRY_FENCED';
}
