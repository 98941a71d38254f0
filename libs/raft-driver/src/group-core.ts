/**
 * Feeds the pure core of one group and does what its output says, in its order (raft/output.ts):
 *
 *      input ─▶ due ticks ─▶ step ─▶ messages          outbox, sent at the end of the turn
 *                                    persist           log store, flushed at the end of the turn
 *                                    after persist     held until the flush that covers it
 *                                    committed         apply loop
 *                                    reads, writes     snapshots and log store, in the background
 */
import {
  type Entry,
  type LogIndex,
  type LogRead,
  type NodeId,
  type PersistNumber,
  type RaftInput,
  type RaftMessage,
  type RaftOutput,
  type RaftState,
  step,
} from '@robustmq/raft';
import type { Flushing, FlushScheduler } from './flush-scheduler.ts';
import type { RaftError } from './raft-error.ts';
import { ioFault, type RaftLogStore } from './raft-log-store.ts';
import { isEmptyAppend } from './peer-outbox.ts';
import type { TickSource } from './tick-source.ts';

/** What a group uses of its host. */
export interface GroupPort {
  readonly nodeId: NodeId;
  readonly ticks: TickSource;
  readonly flushes: FlushScheduler;
  /** To be sent at the end of the turn. */
  send(groupId: number, message: RaftMessage): void;
  /** Sends and flushes soon what this turn of the event loop gathers. */
  scheduleTurn(): void;
  /** As `scheduleTurn`, but within milliseconds, unless another turn comes first. */
  scheduleLateTurn(): void;
}

/** When a follower's read that met damage is tried again. */
const DAMAGED_READ_TICKS = 10;
/** With so many proposals at a time the next ones are near. */
const BUSY_PROPOSALS = 16;

/** What the core's group does with the rest of an output. */
export interface CoreObserver {
  committed(entries: readonly Entry[]): void;
  /** The log is on this node's disk up to `index`. */
  durable(index: LogIndex): void;
  readsReady(output: RaftOutput): void;
  /** Role, term or leader differ from before the step. */
  leadershipChanged(was: Leadership, is: Leadership): void;
  snapshotAsked(output: RaftOutput): void;
  /** An old part of the log could not be read for a follower: whether it will be mended. */
  survivesDamage(error: unknown): boolean;
  failed(error: RaftError): void;
}

export interface Leadership {
  readonly role: RaftState['role']['kind'];
  readonly term: number;
  readonly leader: NodeId | null;
}

interface WaitingMessages {
  readonly after: PersistNumber;
  readonly messages: readonly RaftMessage[];
}

export class GroupCore implements Flushing {
  readonly state: RaftState;
  readonly log: RaftLogStore;
  readonly #groupId: number;
  readonly #host: GroupPort;
  readonly #observer: CoreObserver;
  #leadership: Leadership;
  #outbox: WaitingMessages[] = [];
  #persisted = 0 as PersistNumber;
  /** Null while the core sleeps. */
  #tickedThrough: number | null;
  #flushing: Promise<void> | null = null;
  #logReads: Promise<void> = Promise.resolve();
  /** For followers that need what is damaged here; the core waits for each. */
  #damagedReads: { readonly read: LogRead; readonly dueTick: number }[] = [];
  /** How many the last step took. */
  #proposals = 0;
  #isStopped = false;

  constructor(
    parts: { readonly state: RaftState; readonly log: RaftLogStore; readonly groupId: number },
    host: GroupPort,
    observer: CoreObserver,
  ) {
    this.state = parts.state;
    this.log = parts.log;
    this.#groupId = parts.groupId;
    this.#host = host;
    this.#observer = observer;
    this.#leadership = leadershipOf(parts.state);
    this.#tickedThrough = host.ticks.now;
    host.ticks.need();
  }

  get leadership(): Leadership {
    return this.#leadership;
  }

  get isQuiescent(): boolean {
    return this.#tickedThrough === null;
  }

  /** Feeds one input, after the ticks that are due: a lease must not outlive a pause. */
  feed(input: RaftInput): RaftOutput {
    this.catchUp();
    if (input.kind === 'propose') this.#proposals = input.payloads.length;
    return this.#step(input);
  }

  /** A jump of the clock is not believed beyond one election timeout. */
  catchUp(): void {
    if (this.#tickedThrough === null || this.#isStopped) return;
    const { now } = this.#host.ticks;
    const due = Math.min(now - this.#tickedThrough, this.state.options.electionTimeoutTicks);
    this.#tickedThrough = now;
    for (let tick = 0; tick < due; tick += 1) this.#step({ kind: 'tick' });
    if (this.#damagedReads.length > 0) this.#readDamagedAgain(now);
  }

  async flushWaiting(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing;
    if (this.#isStopped || !this.log.hasWaiting) return;
    this.#flushing = this.#flush();
    await this.#flushing;
    this.#flushing = null;
    if (this.log.hasWaiting) this.#host.flushes.mark(this);
  }

  /** Until nothing waits. Never rejects. */
  async flushAll(): Promise<void> {
    while (!this.#isStopped && this.log.hasWaiting) await this.flushWaiting();
  }

  /** Nothing is fed any more; settles when the flush and the reads under way are over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#flushing;
    await this.#logReads;
  }

  #step(input: RaftInput): RaftOutput {
    const output = step(this.state, input);
    if (!this.#isStopped) this.#carryOut(output);
    return output;
  }

  #carryOut(output: RaftOutput): void {
    const { state } = this;
    this.#send(output.messages);
    if (output.persist !== null) {
      this.log.enqueue(output.persist, (index) => state.log.termAt(index as LogIndex));
      this.#host.flushes.mark(this);
      this.#host.scheduleTurn();
    }
    this.#sendAfter(state.lastPersist, output.messagesAfterPersist);
    if (output.committed.length > 0) this.#observer.committed(output.committed);
    if (output.readsReady.length + output.readsRefused.length > 0)
      this.#observer.readsReady(output);
    for (const read of output.logReads) this.#readLog(read.to, read.from, read.bytesMax);
    if (output.snapshotWrite !== null || output.snapshotReads.length > 0) {
      this.#observer.snapshotAsked(output);
    }
    if (output.activity === 'quiescent') this.#tickedThrough = null;
    else if (this.#tickedThrough === null) {
      this.#tickedThrough = this.#host.ticks.now;
      this.#host.ticks.need();
    }
    this.#noteLeadership();
  }

  #noteLeadership(): void {
    const { state } = this;
    const was = this.#leadership;
    const leader = leaderIn(state);
    if (was.role === state.role.kind && was.term === state.term && was.leader === leader) return;
    this.#leadership = { role: state.role.kind, term: state.term, leader };
    this.#observer.leadershipChanged(was, this.#leadership);
  }

  #send(messages: readonly RaftMessage[]): void {
    if (messages.length === 0) return;
    for (const message of messages) this.#host.send(this.#groupId, message);
    // A commit index alone waits for the entries that are about to follow: half of the frames.
    if (this.#proposals >= BUSY_PROPOSALS && messages.every(isEmptyAppend)) {
      this.#host.scheduleLateTurn();
    } else this.#host.scheduleTurn();
  }

  #sendAfter(after: PersistNumber, messages: readonly RaftMessage[]): void {
    if (messages.length === 0) return;
    if (after <= this.#persisted) this.#send(messages);
    else this.#outbox.push({ after, messages });
  }

  async #flush(): Promise<void> {
    let through: PersistNumber;
    try {
      through = await this.log.flush();
    } catch (error) {
      return this.#fail(error);
    }
    // Outside of the catch: a broken invariant is no failure of the disk; it ends the process.
    if (!this.#isStopped) this.#onFlushed(through);
  }

  #onFlushed(through: PersistNumber): void {
    this.#persisted = through;
    let sent = 0;
    for (const { after, messages } of this.#outbox) {
      if (after > through) break;
      this.#send(messages);
      sent += 1;
    }
    this.#outbox.splice(0, sent);
    this.feed({ kind: 'persisted', through });
    this.#observer.durable(this.state.durableIndex);
  }

  #readLog(to: NodeId, from: LogIndex, bytesMax: number): void {
    this.#logReads = this.#logReads.then(async () => {
      if (this.#isStopped) return;
      let entries: readonly Entry[];
      try {
        entries = await this.log.read(from, bytesMax);
      } catch (error) {
        if (!this.#observer.survivesDamage(error)) return this.#fail(error);
        const dueTick = this.#host.ticks.now + DAMAGED_READ_TICKS;
        this.#damagedReads.push({ read: { to, from, bytesMax }, dueTick });
        return;
      }
      if (!this.#isStopped) this.feed({ kind: 'logRead', to, entries });
    });
  }

  /** The damage may be mended by now. */
  #readDamagedAgain(now: number): void {
    const due = this.#damagedReads.filter(({ dueTick }) => dueTick <= now);
    if (due.length === 0) return;
    this.#damagedReads = this.#damagedReads.filter(({ dueTick }) => dueTick > now);
    for (const { read } of due) this.#readLog(read.to, read.from, read.bytesMax);
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#observer.failed(ioFault(error));
  }
}

export function leadershipOf(state: RaftState): Leadership {
  return { role: state.role.kind, term: state.term, leader: leaderIn(state) };
}

function leaderIn(state: RaftState): NodeId | null {
  if (state.role.kind === 'leader') return state.id;
  return state.role.kind === 'follower' ? state.role.leader : null;
}
