/**
 * One seed, one history: a storm, then healing, then judgement.
 *
 *      0 s ──── faults, changes, clients ────▶ `seconds` ── healed ──▶ at most 30 s ── verdict
 */
import {
  bootstrapSnapshot,
  configurationOf,
  membersOf,
  type NodeId,
  RAFT_RULES,
  type RaftRules,
} from '@robustmq/raft';
import { type BugSwitches, NO_BUGS } from './bugs.ts';
import { Checkers } from './checkers.ts';
import { SimulatedClient } from './client.ts';
import { EventQueue } from './event-queue.ts';
import { type FaultCounts, FaultTally } from './fault-tally.ts';
import { LeaseHolder } from './lease-holder.ts';
import { checkLinearizable } from './linearizability.ts';
import { unleash } from './nemesis.ts';
import { Network } from './network.ts';
import { SimulatedNode } from './node.ts';
import { forgetHistory, leaderOfHighestTerm, operate, repair } from './operator.ts';
import { SimulatedProducer } from './producer.ts';
import { drawProfile } from './profile.ts';
import { SeededRandom } from './random.ts';
import { TraceHash } from './trace.ts';
import { Violation } from './violation.ts';
import { SimulatedWatcher } from './watcher.ts';
import type { World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Simulated seconds of faults before healing. */
  readonly seconds: number;
  readonly rules: RaftRules;
  readonly bugs: BugSwitches;
  readonly tell: ((text: string) => void) | null;
}

export interface SimulationResult {
  readonly seed: number;
  /** null: every invariant held. */
  readonly violation: Violation | null;
  /** Equal for equal seeds. */
  readonly traceHash: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly committedEntries: number;
  readonly operations: number;
  readonly nodes: number;
  /** Changes that every watch must have seen. */
  readonly revisions: number;
  /** That producers appended to the shard, each once. */
  readonly records: number;
  readonly faults: FaultCounts;
}

/** The correct code under one seed. */
export function simulationOf(seed: number, seconds: number): SimulationOptions {
  return { seed, seconds, rules: RAFT_RULES, bugs: NO_BUGS, tell: null };
}

/** Rung R1: a leader within ten election timeouts, all nodes equal within 30 s. */
const LEADER_WITHIN_ELECTION_TIMEOUTS = 10;
const EQUAL_WITHIN_MS = 30_000;

export function simulate(options: SimulationOptions): SimulationResult {
  const world = newWorld(options);
  const clock = { now: 0 };
  const clients = Array.from(
    { length: world.profile.clients },
    (_, at) => new SimulatedClient(world, at + 1, clock),
  );
  const holders = [1, 2].map((number) => new LeaseHolder(world, number));
  const producers = [1, 2].map((id) => new SimulatedProducer(world, id));
  const others = [...holders, ...producers];
  const violation = catchViolation(() => {
    foundGroup(world);
    for (const each of [...clients, ...others, ...world.watchers]) each.start();
    unleash(world);
    operate(world);
    forgetHistory(world);
    runUntil(world, options.seconds * 1_000);
    heal(world);
    judgeLiveness(world, [...clients, ...producers], holders);
    judgeWatches(world);
    judgeShard(world);
    judgeHistory(clients);
  });
  world.trace.add(world.random.next()); // Whoever drew once more or less is another history.
  return {
    seed: options.seed,
    violation,
    traceHash: world.trace.hex,
    simulatedMs: Math.round(world.queue.nowMs),
    events: world.queue.processed,
    committedEntries: world.checkers.committedCount,
    operations: clients.reduce((sum, client) => sum + client.history.length, 0),
    nodes: world.nodes.size,
    revisions: leaderOfHighestTerm(world)?.machine.revision ?? 0,
    records: world.checkers.shard.recordCount,
    faults: world.tally.counts,
  };
}

function newWorld(options: SimulationOptions): World {
  const random = new SeededRandom(options.seed);
  const profile = drawProfile(random);
  const queue = new EventQueue();
  const tally = new FaultTally();
  const network = new Network(queue, random, profile.network, tally);
  const nodes = new Map<NodeId, SimulatedNode>();
  const checkers = new Checkers((node) => nodes.get(node)?.disk);
  const { rules, bugs } = options;
  const told = options.tell;
  const tell =
    told === null
      ? null
      : (text: string): void => told(`${(queue.nowMs / 1000).toFixed(3).padStart(7)} s  ${text}`);
  tell?.(JSON.stringify(profile));
  const trace = new TraceHash();
  const watchers: SimulatedWatcher[] = [];
  const [healed, shared] = [false, { queue, random, network, checkers, profile, tally, trace }];
  const world: World = { ...shared, bugs, rules, nodes, watchers, tell, healed };
  for (const id of [1, 2]) watchers.push(new SimulatedWatcher(world, id));
  return world;
}

function foundGroup(world: World): void {
  const ids = Array.from({ length: world.profile.nodes }, (_, at) => (at + 1) as NodeId);
  const metadata = bootstrapSnapshot(configurationOf(ids));
  for (const id of ids) {
    const node = new SimulatedNode(world, id, metadata);
    world.nodes.set(id, node);
    node.start();
  }
  world.network.onDeliver((message) => {
    const node = world.nodes.get(message.to);
    node?.whenAwake(() => node.feed({ kind: 'receive', message }));
  });
}

function runUntil(world: World, untilMs: number): void {
  while (world.queue.runNext(untilMs));
}

function heal(world: World): void {
  world.tell?.('everything heals');
  world.healed = true;
  world.network.becomeReliable();
  for (const node of world.nodes.values()) {
    node.heal();
    node.start();
  }
  repair(world);
}

function judgeLiveness(
  world: World,
  clients: readonly (SimulatedClient | SimulatedProducer)[],
  holders: readonly LeaseHolder[],
): void {
  const healedAtMs = world.queue.nowMs;
  const { options, tickMs } = world.profile;
  const leaderByMs =
    healedAtMs + LEADER_WITHIN_ELECTION_TIMEOUTS * options.electionTimeoutTicks * tickMs;
  let led = false;
  const stopAtMs = healedAtMs + 2_000;
  for (let atMs = healedAtMs + 200; atMs <= healedAtMs + EQUAL_WITHIN_MS; atMs += 200) {
    runUntil(world, atMs);
    led ||= leaderOfHighestTerm(world) !== null;
    if (atMs >= stopAtMs) for (const each of [...clients, ...holders]) each.stop();
    const isDone = led && clients.every((client) => client.isIdle);
    if (atMs > stopAtMs && isDone && areEqual(world) && !hasLeases(world)) return;
    if (!led && atMs > leaderByMs) {
      throw new Violation('no leader after healing', describeNodes(world));
    }
  }
  const invariant = areEqual(world) ? 'lease does not end' : 'nodes differ after healing';
  throw new Violation(invariant, describeNodes(world));
}

function areEqual(world: World): boolean {
  const leader = leaderOfHighestTerm(world);
  if (!leader?.state) return false;
  const { lastIndex } = leader.state.log;
  for (const id of membersOf(leader.state.configuration)) {
    const node = world.nodes.get(id);
    if (!node?.isRunning || node.appliedIndex !== lastIndex) return false;
    if (node.machine.digest !== leader.machine.digest) return false;
  }
  return true;
}

/** Nobody keeps a lease alive any more: each must end. */
function hasLeases(world: World): boolean {
  return (leaderOfHighestTerm(world)?.machine.leases().length ?? 0) > 0;
}

/** Every watch gets to the last change, wherever it goes on. */
function judgeWatches(world: World): void {
  const leader = leaderOfHighestTerm(world);
  for (const watcher of world.watchers) {
    if (leader !== null) watcher.finish(leader);
    if (leader === null || watcher.through === leader.machine.revision) continue;
    throw new Violation('watch', `a watch ends at ${watcher.through}`);
  }
}

/** Every acknowledged record that is not trimmed is there on every member. */
function judgeShard(world: World): void {
  const leader = leaderOfHighestTerm(world);
  if (leader !== null) world.checkers.shard.finish(leader.machine.shard);
}

function judgeHistory(clients: readonly SimulatedClient[]): void {
  const history = clients.flatMap((client) => client.recorded());
  const verdict = checkLinearizable(history);
  if (verdict.kind === 'linearizable') return;
  throw new Violation('linearizability', `the history of key ${verdict.key}: ${verdict.kind}`);
}

function describeNodes(world: World): string {
  return [...world.nodes.values()]
    .map((node) => {
      const { state } = node;
      if (state === null) return `${node.id}:${node.status}`;
      const { term, role, commitIndex, configuration } = state;
      const applied = node.appliedIndex;
      const members = `${configuration.voters.join('')}/${configuration.outgoing.join('')}`;
      return `${node.id}:${role.kind} ${term} ${members} log ${state.log.lastIndex} commit ${commitIndex} applied ${applied}`;
    })
    .join(' | ');
}

function catchViolation(run: () => void): Violation | null {
  try {
    run();
    return null;
  } catch (cause) {
    if (cause instanceof Violation) return cause;
    throw cause;
  }
}
