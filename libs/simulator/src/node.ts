/**
 * One node: the driver around the core, over the simulated clock, network and disk. It mirrors
 * `libs/raft-driver`: it decides nothing about Raft and does what the output says, in its order.
 *
 * A crash is a new epoch: whatever an earlier epoch still had under way finds itself ignored.
 */
import { AssertionError } from '@robustmq/errors';
import {
  type Entry,
  entryBytes,
  type LogIndex,
  newRaftStateWithRules,
  type NodeId,
  type PersistNumber,
  type RaftInput,
  type RaftMessage,
  type RaftOptions,
  type RaftOutput,
  type RaftState,
  type SnapshotMetadata,
  step,
} from '@robustmq/raft';
import { applyEntry } from './applying.ts';
import { Disk } from './disk.ts';
import { LeaseKeeping } from './lease-keeping.ts';
import { PlacementState } from './placement-state.ts';
import { onNewLeader } from './nemesis.ts';
import { NodeClock } from './node-clock.ts';
import { ofAnotherRelease } from './profile.ts';
import { Requests } from './requests.ts';
import { NodeSnapshots } from './snapshots.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

interface WaitingMessages {
  readonly after: PersistNumber;
  readonly messages: readonly RaftMessage[];
}

export class SimulatedNode {
  readonly id: NodeId;
  readonly disk: Disk;
  readonly requests: Requests;
  readonly #world: World;
  readonly #snapshots: NodeSnapshots;
  readonly #empty: SnapshotMetadata;
  state: RaftState | null = null;
  /** `refuses`: its disk is corrupt. `retired`: switched off for good after its removal. */
  status: 'running' | 'down' | 'refuses' | 'retired' = 'down';
  machine: PlacementState = new PlacementState();
  leases: LeaseKeeping;
  appliedIndex: LogIndex = 0 as LogIndex;
  #options: RaftOptions;
  #epoch = 0;
  #pausedUntilMs = 0;
  readonly #clock: NodeClock;
  #ticking = false;
  #outbox: WaitingMessages[] = [];
  #persisted = 0 as PersistNumber;
  #flushing = false;
  #slowUntilMs = 0;
  /** What happened while paused, in order. */
  #deferred: (() => void)[] = [];

  constructor(world: World, id: NodeId, empty: SnapshotMetadata) {
    this.#world = world;
    this.id = id;
    this.#empty = empty;
    this.disk = new Disk(world, empty);
    this.#options = world.profile.options;
    this.requests = new Requests(this, world.bugs);
    this.#snapshots = new NodeSnapshots(world, this);
    const { clockSkew } = world.profile;
    if (clockSkew > 0) world.tally.add('clock skewed');
    this.#clock = new NodeClock(1 + (world.random.fraction() * 2 - 1) * clockSkew);
    this.leases = this.#newLeaseKeeping();
  }

  get isRunning(): boolean {
    return this.status === 'running';
  }

  get isPaused(): boolean {
    return this.#pausedUntilMs > this.#world.queue.nowMs;
  }

  start(): void {
    if (this.status !== 'down') return;
    const { profile, random, rules, bugs } = this.#world;
    let recovered = this.disk.recover();
    if (recovered === null && bugs.wipedNodeReturns) {
      this.disk.wipe(this.#empty);
      recovered = this.disk.recover();
    }
    if (recovered === null) {
      this.status = 'refuses';
      this.#world.tally.add('disk refused');
      this.#world.tell?.(`node ${this.id} refuses to start: its disk is corrupt`);
      return;
    }
    const { snapshot, hardState, logBase, entries } = recovered;
    const { index, state } = this.disk.machine.recover();
    this.machine = state;
    this.appliedIndex = index;
    if (bugs.skipsEntryOnReplay && entries.length > index - logBase.index) {
      this.appliedIndex = (index + 1) as LogIndex;
    }
    const seed = random.next();
    if (this.#epoch > 0 && random.chance(profile.otherReleases)) {
      this.#world.tally.add('other release');
      this.#options = ofAnotherRelease(random, profile.options);
    }
    const options = this.#options;
    const { appliedIndex, id } = this;
    const start = {
      id,
      options,
      seed,
      hardState,
      snapshot,
      logBase,
      entries,
      appliedIndex,
    };
    this.status = 'running';
    this.state = this.#guarded(() => newRaftStateWithRules(start, rules));
    for (const entry of entries) this.#checkRecovered(entry);
    this.#resetVolatile();
    this.#keepTicking();
    this.#world.tell?.(`node ${id} starts: term ${hardState.term}, log to ${this.disk.lastIndex}`);
  }

  /** The process dies; its memory and a part of its unflushed writes are gone. */
  crash(reason: string): void {
    if (this.status !== 'running') return;
    this.#world.tell?.(`node ${this.id} crashes: ${reason}`);
    this.#epoch += 1;
    this.status = 'down';
    this.state = null;
    this.#snapshots.crash();
    this.disk.crash();
    this.#deferred = [];
    this.requests.forget();
    this.leases = this.#newLeaseKeeping();
    for (const watcher of this.#world.watchers) watcher.crashed(this);
  }

  retire(): void {
    this.crash('retired');
    this.status = 'retired';
  }

  pause(forMs: number): void {
    this.#world.tell?.(`node ${this.id} pauses for ${forMs} ms`);
    this.#pausedUntilMs = this.#world.queue.nowMs + forMs;
    this.#world.queue.after(forMs, () => this.#resume());
  }

  slowDisk(forMs: number): void {
    this.#slowUntilMs = this.#world.queue.nowMs + forMs;
  }

  jumpClock(byMs: number): void {
    this.#world.tell?.(`node ${this.id}: the clock jumps by ${byMs} ms`);
    this.#clock.jump(byMs);
  }

  /** Everything unusual about this node ends. */
  heal(): void {
    this.#pausedUntilMs = 0;
    this.#resume();
    this.#slowUntilMs = 0;
    this.#clock.becomeTrue(this.#world.queue.nowMs);
    this.disk.full = false;
    this.disk.failsNextFlush = false;
  }

  /** Something happens to this node: now, or when its pause is over, but not in another life. */
  whenAwake(run: () => void): void {
    if (this.status !== 'running') return;
    if (this.isPaused || this.#deferred.length > 0) this.#deferred.push(run);
    else run();
  }

  #resume(): void {
    if (this.isPaused) return;
    const deferred = this.#deferred;
    this.#deferred = [];
    const epoch = this.#epoch;
    for (const run of deferred) {
      if (this.#epoch === epoch && this.status === 'running') run();
    }
  }

  /** Feeds one input, after the ticks that are due: a lease must not outlive a pause. */
  feed(input: RaftInput): RaftOutput | null {
    if (this.state === null) return null;
    this.#catchUp();
    return this.#step(input);
  }

  #step(input: RaftInput): RaftOutput | null {
    const { state } = this;
    if (state === null) return null;
    const { checkers, trace, queue } = this.#world;
    const before = checkers.before(state);
    const output = this.#guarded(() => step(state, input));
    trace.add(queue.nowMs * 64 + this.id);
    trace.add(state.term * 4096 + state.commitIndex * 16 + output.messages.length);
    for (const entry of output.persist?.entries ?? []) checkers.appended(state, entry);
    checkers.afterStep(state, before);
    const isLeader = state.role.kind === 'leader';
    if (isLeader !== before.isLeader) {
      this.#world.tell?.(`node ${this.id} ${isLeader ? 'leads' : 'led until'} term ${state.term}`);
    }
    if (isLeader && !before.isLeader) this.#onElected(state);
    this.#carryOut(output, state);
    if (isLeader !== before.isLeader && this.state === state)
      this.leases.leadershipChanged(isLeader);
    return output;
  }

  #onElected(state: RaftState): void {
    const { checkers, nodes } = this.#world;
    for (const { state: other, isPaused } of nodes.values()) {
      // One that is paused catches up with its ticks before it answers anyone.
      if (other !== null && !isPaused) checkers.elected(state, other);
    }
    onNewLeader(this.#world, this);
  }

  #carryOut(output: RaftOutput, state: RaftState): void {
    this.#send(output.messages);
    if (output.persist !== null && !this.disk.write(output.persist)) {
      this.crash('disk full');
      return;
    }
    this.#sendAfter(state.lastPersist, output.messagesAfterPersist);
    this.flush();
    this.#apply(output.committed, state);
    this.requests.readsReady(output.readsReady);
    this.requests.readsRefused(output.readsRefused);
    this.#carryOutReads(output);
    if (output.snapshotWrite !== null) this.#snapshots.receive(output.snapshotWrite);
    if (output.activity === 'active') this.#keepTicking();
  }

  #send(messages: readonly RaftMessage[]): void {
    for (const message of messages) {
      this.#world.checkers.sent(this.disk, message);
      this.#world.network.send(message);
    }
  }

  #sendAfter(after: PersistNumber, messages: readonly RaftMessage[]): void {
    if (messages.length === 0) return;
    if (after <= this.#persisted || this.#world.bugs.answersBeforeFlush) this.#send(messages);
    else this.#outbox.push({ after, messages });
  }

  /** One flush at a time covers every write handed over before it began (group commit). */
  flush(): void {
    if (this.#flushing || this.disk.pendingCount === 0 || this.state === null) return;
    this.#flushing = true;
    const count = this.disk.pendingCount;
    const through = this.state.lastPersist;
    if (this.#world.bugs.reportsFlushEarly) this.#later(0, () => this.#onFlushed(through));
    this.inBackground(this.drawFlushMs(), () => {
      const fails = this.disk.failsNextFlush;
      this.disk.failsNextFlush = false;
      if (fails) this.#world.tally.add('flush failed');
      if (fails) this.disk.flushFailed(count);
      else this.disk.flushed(count);
      this.whenAwake(() => {
        this.#flushing = false;
        if (fails && !this.#world.bugs.retriesFailedFlush) this.crash('the flush failed');
        else this.#onFlushed(through);
      });
    });
  }

  #onFlushed(through: PersistNumber): void {
    if (through > this.#persisted) this.#persisted = through;
    while ((this.#outbox[0]?.after ?? Number.POSITIVE_INFINITY) <= this.#persisted) {
      this.#send(this.#outbox.shift()?.messages ?? []);
    }
    this.feed({ kind: 'persisted', through });
    this.flush();
  }

  #apply(entries: readonly Entry[], state: RaftState): void {
    for (const entry of entries) {
      if (entry.index <= this.appliedIndex) continue;
      this.appliedIndex = entry.index;
      applyEntry(this.#world, this, entry);
    }
    if (entries.length === 0) return;
    this.requests.applied();
    this.#snapshots.takeWhenDue(state);
  }

  #carryOutReads(output: RaftOutput): void {
    for (const { to, from, bytesMax } of output.logReads) {
      this.#later(1, () => {
        const entries = this.disk.read(from, 32);
        if (entries === null) this.crash('a corrupt log record');
        else this.feed({ kind: 'logRead', to, entries: firstBytes(entries, bytesMax) });
      });
    }
    for (const { to, snapshotIndex, offset, bytesMax } of output.snapshotReads) {
      this.#later(1, () => {
        if (this.disk.snapshot.last.index !== snapshotIndex) {
          this.feed({ kind: 'snapshotGone', to, snapshotIndex });
          return;
        }
        const content = this.#snapshots.content();
        const data = content.subarray(offset, offset + bytesMax);
        const done = offset + data.length >= content.length;
        this.feed({ kind: 'snapshotRead', to, snapshotIndex, offset, data, done });
      });
    }
  }

  /** The timer: while the core is quiescent there is none, only the watch on the leader's node. */
  #keepTicking(): void {
    if (this.#ticking || this.state === null) return;
    this.#ticking = true;
    this.#clock.restartTicks(this.#world.queue.nowMs);
    this.#scheduleTick();
  }

  #scheduleTick(): void {
    this.#later(this.#world.profile.tickMs / this.#clock.rate, () => {
      this.#catchUp();
      if (this.state === null) return;
      if (!this.state.quiescent) return this.#scheduleTick();
      this.#ticking = false;
      this.#watchLeader();
    });
  }

  #watchLeader(): void {
    this.#later(1000, () => {
      const { state } = this;
      if (state === null || !state.quiescent) return;
      const leader = state.role.kind === 'follower' ? state.role.leader : null;
      const node = leader === null ? undefined : this.#world.nodes.get(leader);
      const hears = node !== undefined && node.isRunning && !node.isPaused;
      if (leader !== null && !(hears && this.#world.network.connects(leader, this.id))) {
        this.feed({ kind: 'nodeSuspected', node: leader });
      } else this.#watchLeader();
    });
  }

  /** A jump of the clock is not believed beyond one election timeout, nor backwards. */
  #catchUp(): void {
    if (!this.#ticking || this.state === null) return;
    const { tickMs, options } = this.#world.profile;
    const due = this.#clock.takeTicks(this.#world.queue.nowMs, tickMs);
    const ticksMax = this.#world.bugs.dropsMissedTicks ? 1 : options.electionTimeoutTicks;
    for (let tick = 0; tick < Math.min(due, ticksMax); tick += 1) {
      this.#step({ kind: 'tick' });
    }
  }

  #newLeaseKeeping(): LeaseKeeping {
    const { profile, bugs, queue } = this.#world;
    return new LeaseKeeping(this, {
      nowMs: () => this.#clock.monotonicMs(queue.nowMs),
      later: (delayMs, run) => this.#later(delayMs, run),
      graceMs: profile.options.electionTimeoutTicks * profile.tickMs,
      bugs,
    });
  }

  /** How long the next flush takes. */
  drawFlushMs(): number {
    const { random, profile, queue, healed } = this.#world;
    const { flushMinMs, flushMaxMs, slowShare } = profile.disk;
    const isSlow = queue.nowMs < this.#slowUntilMs || random.chance(slowShare);
    const flushMs = random.between(flushMinMs, isSlow && !healed ? 2_000 : flushMaxMs);
    if (flushMs > 1_000) this.#world.tally.add('flush over 1 s');
    return flushMs;
  }

  #resetVolatile(): void {
    this.#outbox = [];
    this.#persisted = 0 as PersistNumber;
    this.#flushing = false;
    this.#ticking = false;
  }

  #later(delayMs: number, run: () => void): void {
    this.inBackground(delayMs, () => this.whenAwake(run));
  }

  /** Goes on while the process is paused, as the operating system does. */
  inBackground(delayMs: number, run: () => void): void {
    // Code that is still on the stack when its process dies begins nothing any more.
    if (this.status !== 'running') return;
    const epoch = this.#epoch;
    this.#world.queue.after(delayMs, () => {
      if (epoch === this.#epoch) run();
    });
  }

  #checkRecovered(entry: Entry): void {
    const { state } = this;
    if (state === null || state.log.termAt(entry.index) !== entry.term) return;
    if (entry.index > state.log.firstIndex) this.#world.checkers.appended(state, entry);
  }

  #guarded<Result>(run: () => Result): Result {
    try {
      return run();
    } catch (cause) {
      if (!(cause instanceof AssertionError)) throw cause;
      throw new Violation('assertion', `node ${this.id}: ${cause.message}`);
    }
  }
}

function firstBytes(entries: readonly Entry[], bytesMax: number): readonly Entry[] {
  let bytes = 0;
  const after = entries.findIndex((entry, at) => {
    bytes += entryBytes(entry);
    return at > 0 && bytes > bytesMax;
  });
  return after < 0 ? entries : entries.slice(0, after);
}
