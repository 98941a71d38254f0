/**
 * Gives every shard of the journal its place: founds new shards, replaces lost replicas, evens out what
 * the servers hold and lead.
 *
 *     watch servers, shards, states ──▶ plan (`@robustmq/shard-placement`) ──▶ one transaction per shard
 *              ▲                                                                     │
 *              └────────────────────────── seen in the watch ◀───────────────────────┘
 *
 * One loop decides all four, in the order in which they matter: they share the same servers, and the bound
 * on what is under way holds only if one decides. What was decided is all in the records; a run that ends
 * between any two steps loses only how long servers have been away, which the next run counts anew.
 */

import type { Clock, Timers } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import { type ClusterView, type Placing, planPlacement } from '@robustmq/shard-placement';
import type { Controller } from './controller.ts';
import { pause } from './controller.ts';
import { decodeServerNotice } from './journal-server-notice.ts';
import { LastingConditions } from './lasting-conditions.ts';
import type { NodeRecord, NodeRegistry } from './node-registry.ts';
import { RegistryError } from './registry-error.ts';
import { shardNames, type ShardRecord, type ShardRegistry } from './shard-registry.ts';
import type { ShardState, ShardStateRegistry } from './shard-state-registry.ts';
import { Wakeup } from './wakeup.ts';
import { WatchedRecords } from './watched-records.ts';

/** What the loop reads and writes, and how patient it is. */
export interface PlaceShardsOptions {
  readonly nodes: NodeRegistry;
  readonly shards: ShardRegistry;
  readonly shardStates: ShardStateRegistry;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly rules: PlaceShardsRules;
  /** For each of its steps. */
  readonly call: CallOptions;
  /** Told of each decision that was written. Must not throw. */
  onPlaced(placing: Placing): void;
}

/** When and how much at once. */
export interface PlaceShardsRules {
  /** A server that is away for longer is lost: its replicas are made anew on others. */
  readonly lostAfterMs: number;
  /** How long a new shard waits for as many servers as it wants. */
  readonly foundingWaitMs: number;
  /** How long one with too few replicas waits: a server that gave one up deletes it meanwhile. */
  readonly growingWaitMs: number;
  /** LIMIT: shardRepairsMax (more shards than this are not repaired at once). */
  readonly repairsMax: number;
  /** LIMIT: shardMovesMax (no move begins while so many shards are under way). */
  readonly movesMax: number;
  /** Between two looks at least; bounds what a busy cluster costs. */
  readonly restMs: number;
  /** Without a change it looks again after this. */
  readonly lookEveryMs: number;
}

/** What fits a cluster that serves people. */
export const DEFAULT_PLACE_SHARDS_RULES: PlaceShardsRules = {
  lostAfterMs: 60_000,
  foundingWaitMs: 10_000,
  growingWaitMs: 5_000,
  repairsMax: 8,
  movesMax: 2,
  restMs: 500,
  lookEveryMs: 5_000,
};

/** Works from the first look on, until it is stopped. */
export function placeShards(options: PlaceShardsOptions): Controller {
  return { name: 'place-shards', run: (signal) => new Placement(options, signal).run() };
}

class Placement {
  readonly #options: PlaceShardsOptions;
  readonly #signal: AbortSignal;
  readonly #wakeup = new Wakeup();
  readonly #servers: WatchedRecords<NodeRecord>;
  readonly #shards: WatchedRecords<ShardRecord>;
  readonly #states: WatchedRecords<ShardState>;
  readonly #away = new LastingConditions<number>();
  readonly #unplaced = new LastingConditions<string>();
  readonly #lacking = new LastingConditions<string>();
  #failure: { readonly error: unknown } | null = null;

  constructor(options: PlaceShardsOptions, signal: AbortSignal) {
    const { nodes, shards, shardStates, call } = options;
    this.#options = options;
    this.#signal = signal;
    this.#servers = new WatchedRecords(nodes.watch({ within: ['journal-server'], call }));
    this.#shards = new WatchedRecords(shards.watch({ within: [], call }));
    this.#states = new WatchedRecords(shardStates.watch({ within: [], call }));
  }

  async run(): Promise<void> {
    const watched = [this.#servers, this.#shards, this.#states];
    const following = watched.map((each) => this.#follow(each));
    try {
      await this.#work();
    } finally {
      for (const each of watched) each.cancel();
      await Promise.all(following);
    }
    if (this.#failure !== null && !this.#signal.aborted) throw this.#failure.error;
  }

  async #follow(records: WatchedRecords<unknown>): Promise<void> {
    try {
      await records.follow(() => this.#wakeup.wake());
    } catch (error) {
      this.#failure = { error };
    }
    this.#wakeup.wake();
  }

  async #work(): Promise<void> {
    const { timers, rules } = this.#options;
    while (!this.#isOver()) {
      await this.#wakeup.wait(timers, rules.lookEveryMs, this.#signal);
      if (this.#isOver()) return;
      if (!this.#servers.isListed || !this.#shards.isListed || !this.#states.isListed) continue;
      await this.#carryOut(planPlacement(this.#view(), this.#rules()));
      await pause(timers, rules.restMs, this.#signal);
    }
  }

  #isOver(): boolean {
    return this.#signal.aborted || this.#failure !== null;
  }

  #view(): ClusterView {
    const { clock, rules } = this.#options;
    const records = this.#shards.values();
    const servers = this.#servers.values();
    const alive = new Set(servers.map(({ nodeId }) => nodeId));
    const filled = servers.filter(({ extendInfo }) => decodeServerNotice(extendInfo).diskFull);
    const full = new Set(filled.map(({ nodeId }) => nodeId));
    const nowMs = clock.monotonicMs();
    const used = records.flatMap(({ replicas }) => replicas);
    this.#away.see(
      used.filter((server) => !alive.has(server)),
      nowMs,
    );
    // While there is no server at all, nobody waits for further ones yet.
    const unplaced = records.filter(({ replicas }) => replicas.length === 0 && alive.size > 0);
    this.#unplaced.see(unplaced.map(nameOf), nowMs);
    this.#lacking.see(records.filter((record) => this.#isLacking(record)).map(nameOf), nowMs);
    const lost = this.#away.heldFor(rules.lostAfterMs, nowMs);
    const shards = records
      .map((record) => ({
        name: nameOf(record),
        wanted: record.replicasWanted,
        replicas: record.replicas,
        preferredLeader: record.preferredLeader,
        observed: this.#observed(record),
      }))
      .toSorted((first, second) => (first.name < second.name ? -1 : 1));
    return { shards, alive, lost, full };
  }

  /** Its group is as the record says, and that is fewer replicas than wanted. */
  #isLacking(record: ShardRecord): boolean {
    const { replicas, replicasWanted } = record;
    if (replicas.length === 0 || replicas.length >= replicasWanted) return false;
    return this.#observed(record)?.voters.length === replicas.length;
  }

  /** What is told of an earlier life of the shard says nothing about this one. */
  #observed(record: ShardRecord): ShardState | null {
    const state = this.#states.get(shardNames(record));
    return state?.groupId === record.groupId ? state : null;
  }

  #rules(): Parameters<typeof planPlacement>[1] {
    const { clock, rules } = this.#options;
    const nowMs = clock.monotonicMs();
    const waited = new Set([
      ...this.#unplaced.heldFor(rules.foundingWaitMs, nowMs),
      ...this.#lacking.heldFor(rules.growingWaitMs, nowMs),
    ]);
    const patient = this.#shards
      .values()
      .map(nameOf)
      .filter((name) => !waited.has(name));
    return { ...rules, patient: new Set(patient) };
  }

  /** Writes each decision, then waits until the watch shows them all: the next plan is made on them. */
  async #carryOut(placings: readonly Placing[]): Promise<void> {
    const written: ShardRecord[] = [];
    for (const placing of placings) {
      if (this.#isOver()) return;
      const record = await this.#write(placing);
      if (record !== null) written.push(record);
    }
    const { clock, timers, call } = this.#options;
    const endMs = clock.monotonicMs() + call.deadlineMs;
    while (!this.#isOver() && !written.every((record) => this.#shows(record))) {
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 0) throw new Error('the watch does not show what was written');
      await this.#wakeup.wait(timers, leftMs, this.#signal);
    }
  }

  async #write(placing: Placing): Promise<ShardRecord | null> {
    const { shards, call, onPlaced } = this.#options;
    const record = this.#shards.values().find((each) => nameOf(each) === placing.shard);
    if (record === undefined) return null;
    try {
      const written = await shards.assign(record, placing, call);
      onPlaced(placing);
      return written;
    } catch (error) {
      // Somebody else changed or deleted it: the watch will tell, and the next plan knows.
      if (error instanceof RegistryError && error.fault.code === 'REGISTRY_FENCED') return null;
      throw error;
    }
  }

  /** It is there, or something newer, or the shard is gone. */
  #shows(written: ShardRecord): boolean {
    const shown = this.#shards.get(shardNames(written));
    return shown === null || shown.epoch >= written.epoch;
  }
}

/** Tells one life of a shard from the next. */
function nameOf(record: ShardRecord): string {
  return `${record.namespace}/${record.shard}#${record.groupId}`;
}
