/** One running member of one group: its calls, and what they wait for. */
import {
  type Entry,
  type EntryId,
  type LogIndex,
  type MembershipChange,
  membersOf,
  type NodeId,
  type RaftMessage,
  type RaftOutput,
  type RaftStatus,
  statusOf,
} from '@robustmq/raft';
import { ApplyLoop } from './apply-loop.ts';
import { GroupSnapshots } from './group-snapshots.ts';
import { GroupCore, type GroupPort, type Leadership } from './group-core.ts';
import { MembershipWait } from './membership-wait.ts';
import { PendingProposals, refusal, unavailable, unknown } from './pending-proposals.ts';
import { PendingReads } from './pending-reads.ts';
import { RaftError } from './raft-error.ts';
import type { ProposalStages, Proposed, RaftFault, RaftGroup } from './raft-group.ts';
import type { OpenedGroup } from './open-group.ts';
import { ioFault } from './raft-log-store.ts';
import type { StateMachine } from './state-machine.ts';

/** LIMIT: proposals without an answer; one more is refused as `overloaded`. */
const PENDING_PROPOSALS_MAX = 65_536;
/** LIMIT: bytes of proposals without an answer; one more is refused as `overloaded`. */
const PENDING_PROPOSAL_BYTES_MAX = 64 * 1024 * 1024;
/** LIMIT: committed bytes that wait to be applied; appends of the leader are dropped beyond. */
const APPLY_BACKLOG_BYTES_MAX = 64 * 1024 * 1024;
/** What one step appends at most, unless one proposal is larger. */
const STEP_BYTES_MAX = 1024 * 1024;

export interface GroupHostPort extends GroupPort {
  readonly proposalBytesMax: number;
  /** `takeTurn` at the end of this turn of the event loop. */
  awaitTurn(group: GroupDriver<unknown>): void;
  groupFailed(group: GroupDriver<unknown>, fault: RaftFault): void;
  groupClosed(group: GroupDriver<unknown>): void;
}

export class GroupDriver<Result> implements RaftGroup<Result> {
  readonly name: string;
  readonly groupId: number;
  readonly #host: GroupHostPort;
  readonly #machine: StateMachine<Result>;
  readonly #core: GroupCore;
  readonly #apply: ApplyLoop<Result>;
  readonly #snapshots: GroupSnapshots<Result>;
  readonly #proposals = new PendingProposals<Result>();
  readonly #reads: PendingReads;
  readonly #membership = new MembershipWait();
  readonly #admitsEntries: () => boolean;
  readonly #listeners = new Set<(status: RaftStatus) => void>();
  #failed: RaftError | null = null;
  #closing: Promise<void> | null = null;

  constructor(opened: OpenedGroup<Result>, host: GroupHostPort) {
    this.name = opened.name;
    this.groupId = opened.groupId;
    this.#host = host;
    this.#machine = opened.machine;
    this.#admitsEntries = opened.admitsEntries;
    this.#reads = new PendingReads(opened.firstRequest);
    this.#apply = new ApplyLoop(opened.machine, opened.appliedIndex, {
      applied: (entries, results) => this.#onApplied(entries, results),
      failed: (error) => this.#fail(ioFault(error)),
    });
    this.#core = new GroupCore(opened, host, {
      committed: (entries) => this.#apply.push(entries),
      durable: (index) => this.#proposals.durable(index),
      readsReady: (output) => this.#onReads(output),
      leadershipChanged: (was, is) => this.#onLeadership(was, is),
      snapshotAsked: (output) => this.#snapshots.carryOut(output),
      survivesDamage: (error) => this.#survivesDamage(error),
      failed: (error) => this.#fail(error),
    });
    this.#snapshots = new GroupSnapshots({
      place: opened.snapshotPlace,
      files: opened.files,
      compaction: opened.compaction,
      machine: opened.machine,
      core: this.#core,
      apply: this.#apply,
      ticks: host.ticks,
      onInstalled: (index) => this.#onInstalled(index),
      onFailed: (error) => this.#fail(error),
    });
  }

  get status(): RaftStatus {
    return statusOf(this.#core.state);
  }

  get isQuiescent(): boolean {
    return this.#core.isQuiescent;
  }

  get bytesWritten(): number {
    return this.#core.log.bytesWritten;
  }

  get snapshotFailures(): number {
    return this.#snapshots.failures;
  }

  get members(): readonly NodeId[] {
    return membersOf(this.#core.state.configuration);
  }

  propose(
    data: Uint8Array,
    deadlineMs: number,
    stages: ProposalStages | null = null,
  ): Promise<Proposed<Result>> {
    const reason = this.#reasonToRefuse(data.length);
    if (reason !== null) return Promise.reject(reason);
    const deadlineAtMs = this.#host.ticks.nowMs + deadlineMs;
    return new Promise((resolve, reject) => {
      this.#proposals.add({ data, deadlineAtMs, stages, resolve, reject });
      this.#host.awaitTurn(this as GroupDriver<unknown>);
    });
  }

  readBarrier(deadlineMs: number): Promise<LogIndex> {
    if (this.#isOver) return Promise.reject(this.#failed ?? unavailable('the group is closed'));
    const deadlineAtMs = this.#host.ticks.nowMs + deadlineMs;
    return new Promise((resolve, reject) => {
      this.#reads.add({ deadlineAtMs, resolve, reject });
      this.#host.ticks.need();
      this.#host.awaitTurn(this as GroupDriver<unknown>);
    });
  }

  changeMembership(changes: readonly MembershipChange[], deadlineMs: number): Promise<EntryId> {
    if (this.#isOver) return Promise.reject(this.#failed ?? refusal('closed', null));
    const { proposal } = this.#core.feed({ kind: 'proposeMembership', changes });
    if (proposal?.kind !== 'appended') {
      const reason = proposal?.kind === 'refused' ? proposal.reason : 'notLeader';
      return Promise.reject(refusal(reason, this.#core.leadership.leader));
    }
    const { first } = proposal;
    const deadlineAtMs = this.#host.ticks.nowMs + deadlineMs;
    return new Promise((resolve, reject) => {
      this.#membership.awaitChange(first, { deadlineAtMs, resolve, reject });
    });
  }

  transferLeadership(to: NodeId, deadlineMs: number): Promise<void> {
    if (this.#isOver) return Promise.reject(this.#failed ?? refusal('closed', null));
    const { proposal } = this.#core.feed({ kind: 'transferLeadership', to });
    if (proposal?.kind !== 'transferring') {
      const reason = proposal?.kind === 'refused' ? proposal.reason : 'notLeader';
      return Promise.reject(refusal(reason, this.#core.leadership.leader));
    }
    const deadlineAtMs = this.#host.ticks.nowMs + deadlineMs;
    return new Promise((resolve, reject) => {
      this.#membership.awaitTransfer(to, { deadlineAtMs, resolve, reject });
    });
  }

  onLeadership(listener: (status: RaftStatus) => void): { stop(): void } {
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }

  takeSnapshot(): Promise<LogIndex> {
    if (this.#isOver) return Promise.reject(this.#failed ?? unavailable('the group is closed'));
    return this.#snapshots.take();
  }

  forgetLog(): Promise<LogIndex> {
    if (this.#isOver) return Promise.reject(this.#failed ?? unavailable('the group is closed'));
    return this.#snapshots.forget();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** A message of another member. */
  receive(message: RaftMessage): void {
    if (this.#isOver || this.#isFlooded(message)) return;
    this.#core.feed({ kind: 'receive', message });
  }

  nodeSuspected(node: NodeId): void {
    if (!this.#isOver) this.#core.feed({ kind: 'nodeSuspected', node });
  }

  /** Proposes and asks what gathered since the last turn. */
  takeTurn(): void {
    if (this.#isOver) return;
    if (this.#reads.waitingCount > 0) {
      const requestId = this.#reads.ask();
      if (requestId !== null) this.#core.feed({ kind: 'readIndex', requestId });
    }
    if (this.#proposals.waitingCount > 0) this.#propose();
  }

  /** @returns whether it needs the next one */
  tick(): boolean {
    if (this.#isOver) return false;
    this.#core.catchUp();
    this.#snapshots.tick();
    const { nowMs } = this.#host.ticks;
    this.#proposals.expire(nowMs);
    this.#membership.expire(nowMs);
    if (!this.#reads.isEmpty) {
      this.#reads.tick(nowMs);
      this.#host.awaitTurn(this as GroupDriver<unknown>);
    }
    const isIdle = this.#proposals.count === 0 && this.#reads.isEmpty && this.#membership.isEmpty;
    return !this.#core.isQuiescent || !isIdle;
  }

  /** A single voter need not wait for others: time passes at once until it leads. */
  leadAlone(): void {
    const { state } = this.#core;
    const { voters, outgoing } = state.configuration;
    if (voters.length !== 1 || voters[0] !== state.id || outgoing.length > 0) return;
    for (let tick = 0; tick < state.options.electionTimeoutTicks * 2; tick += 1) {
      if (state.role.kind !== 'follower') return;
      this.#core.feed({ kind: 'tick' });
    }
  }

  get #isOver(): boolean {
    return this.#failed !== null || this.#closing !== null;
  }

  #reasonToRefuse(byteCount: number): RaftError | null {
    if (this.#failed !== null) return this.#failed;
    if (this.#closing !== null) return refusal('closed', null);
    const { role, leader } = this.#core.leadership;
    if (role !== 'leader') return refusal('notLeader', leader);
    if (byteCount > this.#host.proposalBytesMax) return refusal('tooLarge', leader);
    const { count, bytes } = this.#proposals;
    const isFull = count >= PENDING_PROPOSALS_MAX || bytes + byteCount > PENDING_PROPOSAL_BYTES_MAX;
    return isFull ? refusal('overloaded', leader) : null;
  }

  /** Raft repeats what is dropped here; heartbeats pass, so that the leader stays the leader. */
  #isFlooded(message: RaftMessage): boolean {
    if (message.kind === 'snapshotChunk') return this.#snapshots.isFlooded;
    if (message.kind !== 'appendRequest' || message.entries.length === 0) return false;
    return this.#apply.backlogBytes > APPLY_BACKLOG_BYTES_MAX || !this.#admitsEntries();
  }

  #propose(): void {
    const waiting = this.#proposals.takeWaiting();
    for (let start = 0; start < waiting.length; ) {
      let bytes = 0;
      let after = start;
      for (; after < waiting.length && bytes < STEP_BYTES_MAX; after += 1) {
        bytes += waiting[after]?.data.length ?? 0;
      }
      const proposals = waiting.slice(start, after);
      const payloads = proposals.map(({ data }) => data);
      const { proposal } = this.#core.feed({ kind: 'propose', payloads });
      if (proposal?.kind === 'appended') this.#proposals.appended(proposals, proposal.first);
      else {
        const reason = proposal?.kind === 'refused' ? proposal.reason : 'notLeader';
        this.#proposals.refused(proposals, reason, this.#core.leadership.leader);
      }
      start = after;
    }
  }

  #onApplied(entries: readonly Entry[], results: readonly Result[]): void {
    let result = 0;
    for (const entry of entries) {
      if (entry.kind !== 'data') continue;
      this.#proposals.applied(entry, results[result] as Result);
      result += 1;
    }
    this.#core.log.forgetPlaces(this.#apply.appliedIndex);
    this.#reads.applied(this.#apply.appliedIndex);
    this.#membership.applied(entries);
    this.#snapshots.applied(entries);
  }

  #onInstalled(index: LogIndex): void {
    this.#proposals.forgetThrough(index);
    this.#reads.applied(index);
  }

  #survivesDamage(error: unknown): boolean {
    if (this.#machine.logDamaged === undefined || !(error instanceof RaftError)) return false;
    const { fault } = error;
    if (fault.code !== 'RAFT_LOG_CORRUPT') return false;
    this.#machine.logDamaged(fault.file);
    return true;
  }

  #onReads({ readsReady, readsRefused }: RaftOutput): void {
    this.#reads.ready(readsReady, this.#apply.appliedIndex);
    this.#reads.refused(readsRefused);
  }

  #onLeadership(was: Leadership, is: Leadership): void {
    const { state } = this.#core;
    if (was.role === 'leader' && (is.role !== 'leader' || is.term !== was.term)) {
      this.#proposals.forgetAfter(state.deliveredIndex, 'leadership was lost');
      this.#membership.leadershipLost(state.deliveredIndex);
    }
    this.#membership.leaderIs(is.leader, state.id);
    const { status } = this;
    for (const listener of this.#listeners) listener(status);
  }

  #fail(error: RaftError): void {
    if (this.#failed !== null) return;
    this.#failed = error;
    this.#rejectAll('the group failed');
    void this.#core.stop();
    void this.#snapshots.stop().catch(() => undefined);
    void this.#apply.stop();
    this.#host.groupFailed(this as GroupDriver<unknown>, error.fault);
  }

  async #close(): Promise<void> {
    if (this.#failed === null) await this.#core.flushAll();
    this.#rejectAll('the group was closed');
    await this.#core.stop();
    // On a disk that failed closing may fail, too, and what is durable is durable already.
    await Promise.allSettled([this.#snapshots.stop()]);
    await this.#apply.stop();
    await Promise.allSettled([this.#core.log.close()]);
    await this.#machine.close();
    this.#host.groupClosed(this as GroupDriver<unknown>);
  }

  #rejectAll(detail: string): void {
    this.#proposals.refused(this.#proposals.takeWaiting(), 'closed', null);
    this.#proposals.forgetAfter(-1, detail);
    this.#reads.rejectAll(unavailable(detail));
    this.#membership.rejectAll(unknown(detail));
  }
}
