/** One replica at work: commands go through its Raft group, reads to its segments. */
import {
  type AppendAcknowledgement,
  encodeAppend,
  encodedAppendBytes,
  appendHeaderBytes,
  type AppendFacts,
  encodeFence,
  encodeTrim,
  JournalError,
  type JournalReader,
  type JournalRecord,
  type Offset,
  type ProducerName,
  RecordBatchReader,
  ShardForecast,
  type ShardCommand,
  type RecordSelector,
  type ShardOutcome,
} from '@robustmq/journal';
import { SegmentReader } from '@robustmq/journal-segment';
import type { EntryId, LogIndex, MembershipChange, NodeId, RaftStatus } from '@robustmq/raft';
import {
  type DamagedBatch,
  type ProposalStages,
  RaftError,
  type RaftGroup,
} from '@robustmq/raft-driver';
import { AppendsUnderWay } from './appends-under-way.ts';
import { type MendFile, MendingReader, readMended } from './mending-reads.ts';
import type { ReplicaSegment } from './replica-segment.ts';
import { RetentionLoop } from './retention-loop.ts';
import { type FoundDamage, SegmentScrub } from './segment-scrub.ts';
import type { ShardMachine } from './shard-machine.ts';
import type {
  AppendOutcome,
  ProducerAppend,
  ShardReplica,
  ShardReplicaOptions,
  ShardReplicaStatus,
} from './shard-replica.ts';

const RETENTION_DEADLINE_MS = 5000;

export class Replica implements ShardReplica {
  readonly name: string;
  readonly groupId: number;
  readonly #options: ShardReplicaOptions;
  readonly #machine: ShardMachine;
  readonly #group: RaftGroup<ShardOutcome>;
  readonly #listeners = new Set<() => void>();
  readonly #scrub: SegmentScrub;
  readonly #retention: RetentionLoop;
  readonly #underWay = new AppendsUnderWay();
  readonly #forecast = new ShardForecast();
  readonly #mendFile: MendFile = (fault) => this.#mend(fault);
  #isClosed = false;
  #trimming: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ShardReplicaOptions, machine: ShardMachine, group: RaftGroup<ShardOutcome>) {
    this.name = options.name;
    this.groupId = options.groupId;
    this.#options = options;
    this.#machine = machine;
    this.#group = group;
    this.#scrub = new SegmentScrub({
      timers: options.environment.timers,
      log: () => machine.log,
      bytesPerSecond: options.limits.scrubBytesPerSecond ?? null,
      fetchEntries: options.fetchEntries ?? (async () => null),
      onDamage: (found) => options.onDamage?.(found),
    });
    this.#retention = new RetentionLoop({
      environment: options.environment,
      retention: options.limits.retention ?? null,
      neededFrom: options.neededFrom ?? (() => Number.POSITIVE_INFINITY),
      leads: () => group.status.role === 'leader',
      segments: () => machine.segments.list,
      trim: (offset) => this.trimBefore(offset as Offset, RETENTION_DEADLINE_MS),
    });
  }

  get status(): ShardReplicaStatus {
    const { state, segments, appliedIndex } = this.#machine;
    return {
      raft: this.#group.status,
      end: this.end,
      oldest: this.oldest,
      appliedIndex,
      segments: segments.list.length,
      bytes: segments.list.reduce((sum, { bytes }) => sum + bytes, 0),
      bytesRead: segments.bytesRead,
      scrub: this.#scrub.counters,
      producers: state.producers.count,
      lastAppendedAtMs: state.lastAppendedAtMs,
    };
  }

  get end(): Offset {
    return this.#machine.state.next as Offset;
  }

  get oldest(): Offset {
    return this.#machine.oldest as Offset;
  }

  async append(append: ProducerAppend, deadlineMs: number): Promise<AppendOutcome> {
    const { producer, sequence, batch, mayMissFrom } = append;
    const known = this.#settled(append);
    if (known !== null) return known;
    const full = this.#fullness(batch.bytes.length);
    if (full !== null) return this.#refuse(append, full, deadlineMs);
    const named = { stampMs: this.#nowMs, producer, sequence };
    const facts = mayMissFrom === undefined ? named : { ...named, mayMissFrom };
    return this.#propose(facts, append, deadlineMs);
  }

  async #propose(
    facts: AppendFacts,
    { batch, acknowledgement = 'all-synced' }: ProducerAppend,
    deadlineMs: number,
  ): Promise<AppendOutcome> {
    const { bytes, recordCount } = batch;
    const target = this.#options.stores.entries.take(encodedAppendBytes(facts, bytes));
    const data = encodeAppend(facts, bytes, target);
    const command = { kind: 'append', ...facts, batchStart: appendHeaderBytes(facts) } as const;
    const producer = facts.producer.id;
    const expect = (id: EntryId): number | null => this.#expect(id, command, recordCount);
    if (acknowledgement === 'all-synced') {
      const stages = { appended: expect, durable: null };
      return this.#committed(producer, data, { deadlineMs, stages });
    }
    const early = Promise.withResolvers<AppendOutcome>();
    let base: number | null = null;
    const settleEarly = (when: AppendAcknowledgement): void => {
      if (base === null || when !== acknowledgement) return;
      early.resolve({ kind: 'appended', base: base as Offset });
    };
    const stages = {
      appended: (id: EntryId) => {
        base = expect(id);
        settleEarly('memory');
      },
      durable: () => settleEarly('leader'),
    };
    const committed = this.#committed(producer, data, { deadlineMs, stages });
    committed.then(early.resolve, early.reject);
    return early.promise;
  }

  async #committed(
    producer: number,
    data: Uint8Array,
    { deadlineMs, stages }: { readonly deadlineMs: number; readonly stages: ProposalStages },
  ): Promise<AppendOutcome> {
    this.#underWay.begin(producer);
    try {
      const { result } = await this.#group.propose(data, deadlineMs, stages);
      return appendOutcome(result);
    } finally {
      this.#underWay.end(producer);
    }
  }

  #expect(id: EntryId, command: ShardCommand, recordCount: number): number | null {
    return this.#forecast.expect(this.#machine.state, id, { command, recordCount });
  }

  async committed(deadlineMs: number): Promise<Offset> {
    await this.#group.readBarrier(deadlineMs);
    return this.end;
  }

  openReader(from: Offset, selector: RecordSelector): JournalReader {
    const { segments } = this.#machine;
    const end = (): Offset => this.end;
    const assertOpen = (): void => this.#assertOpen();
    const shard = {
      segments,
      assertOpen,
      get committed(): Offset {
        return end();
      },
    };
    const open = (at: Offset): JournalReader =>
      new SegmentReader<ReplicaSegment>(shard, at, selector);
    return new MendingReader(from, open, this.#mendFile);
  }

  readAt(offset: Offset): Promise<JournalRecord | null> {
    return readMended(this.#mendFile, () => this.#readAt(offset));
  }

  offsetAt(atMs: number): Promise<Offset> {
    return readMended(this.#mendFile, () => this.#offsetAt(atMs));
  }

  onMoved(listener: () => void): { stop(): void } {
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }

  async fence(producer: ProducerName, deadlineMs: number): Promise<void> {
    const stampMs = this.#nowMs;
    const command = { kind: 'fence', stampMs, producer } as const;
    await this.#group.propose(encodeFence(stampMs, producer), deadlineMs, {
      appended: (id) => void this.#expect(id, command, 0),
      durable: null,
    });
  }

  async trimBefore(offset: Offset, deadlineMs: number): Promise<void> {
    await this.#group.propose(encodeTrim(this.#nowMs, offset), deadlineMs);
  }

  changeMembership(changes: readonly MembershipChange[], deadlineMs: number): Promise<EntryId> {
    return this.#group.changeMembership(changes, deadlineMs);
  }

  transferLeadership(to: NodeId, deadlineMs: number): Promise<void> {
    return this.#group.transferLeadership(to, deadlineMs);
  }

  onLeadership(listener: (status: RaftStatus) => void): { stop(): void } {
    return this.#group.onLeadership(listener);
  }

  async encodeEntries(from: LogIndex, through: LogIndex): Promise<Uint8Array | null> {
    try {
      return (await this.#machine.log?.encodeEntries(from, through)) ?? null;
    } catch (error) {
      if (error instanceof RaftError && error.fault.code === 'RAFT_LOG_CORRUPT') {
        this.#machine.logDamaged(error.fault.file);
      }
      throw error;
    }
  }

  verify(): Promise<readonly DamagedBatch[]> {
    return this.#scrub.verify();
  }

  /** A reader met damage. */
  suspect(segment: ReplicaSegment): void {
    this.#scrub.suspect(segment.number);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The machine's `end` or `oldest` moved. */
  moved(): void {
    this.#forecast.applied(this.#machine.state);
    for (const listener of this.#listeners) listener();
    this.#trimSoon();
  }

  /** The group is over, whoever closed it. */
  async ended(): Promise<void> {
    this.#isClosed = true;
    this.#retention.stop();
    await this.#scrub.stop();
  }

  async #close(): Promise<void> {
    await this.ended();
    await this.#group.close();
    await this.#trimming;
    this.#listeners.clear();
  }

  async #readAt(offset: Offset): Promise<JournalRecord | null> {
    this.#assertOpen();
    if (offset < this.oldest || offset >= this.end) return null;
    const { segments } = this.#machine;
    const segment = segments.at(offset);
    const index = segments.indexInMemory(segment) ?? (await segments.loadIndex(segment));
    const batch = index.findBatch(offset - segment.baseOffset);
    const chunk =
      segments.batchInMemory(segment, index.batchPosition(batch)) ??
      (await segments.loadBatches(segment, index, { first: batch, last: batch }));
    const cursor = new RecordBatchReader();
    segments.openBatch(cursor, chunk, { segment, index, batch });
    while (cursor.next()) if (cursor.offset === offset) return cursor.record();
    return null;
  }

  async #offsetAt(atMs: number): Promise<Offset> {
    this.#assertOpen();
    const { segments } = this.#machine;
    // Everything before a segment that begins earlier than this is older still.
    const at = Math.max(
      0,
      segments.list.findLastIndex(({ beginMs }) => beginMs < atMs),
    );
    const segment = segments.list[at];
    if (segment === undefined) return this.end;
    const index = segments.indexInMemory(segment) ?? (await segments.loadIndex(segment));
    const batch = index.firstBatchAt(atMs);
    const found =
      batch < index.batchCount ? segment.baseOffset + index.batchFirst(batch) : segment.after;
    return Math.max(found, this.oldest) as Offset;
  }

  async #mend(fault: Parameters<MendFile>[0]): Promise<readonly FoundDamage[]> {
    const { file, position } = fault;
    const segment = this.#machine.segments.list.find(({ path }) => path === file);
    if (segment === undefined) return [];
    const isWritten = this.#machine.log?.segments().at(-1)?.number === segment.number;
    if (!isWritten || this.#isAlone) return this.#scrub.mended(segment.number);
    const detail = 'this file is mended once it is complete';
    const nowhere = { from: 1 as LogIndex, through: 0 as LogIndex };
    const place = { file, position, after: position, ...nowhere };
    const found: FoundDamage = { ...place, outcome: 'unanswered', detail };
    this.#options.onDamage?.(found);
    return [found];
  }

  get #isAlone(): boolean {
    const { voters, outgoing, learners } = this.#group.status.configuration;
    return new Set([...voters, ...outgoing, ...learners]).size <= 1;
  }

  /** What is certain of an append already; nothing later changes it. */
  #settled({ producer, sequence }: ProducerAppend): AppendOutcome | null {
    const verdict = this.#machine.state.producers.judge(producer, sequence, 0);
    if (verdict.kind === 'fenced') return verdict;
    return verdict.kind === 'duplicate'
      ? { ...verdict, base: verdict.base as Offset | null }
      : null;
  }

  /**
   * Nothing of the append was written, not even by an attempt before this one, is a promise: it
   * waits until whatever may still be in the log is applied.
   */
  async #refuse(
    append: ProducerAppend,
    full: JournalError,
    deadlineMs: number,
  ): Promise<AppendOutcome> {
    await this.#underWay.settled(append.producer.id);
    await this.#group.readBarrier(deadlineMs);
    const known = this.#settled(append);
    if (known !== null) return known;
    throw full;
  }

  #fullness(byteCount: number): JournalError | null {
    const overConfigured = this.#retention.refusal(byteCount);
    const overDisk = overConfigured === null ? this.#options.space.refusal(byteCount) : null;
    const detail = overConfigured ?? overDisk;
    if (detail === null) return null;
    const limit = overConfigured === null ? 'disk' : 'configured';
    return new JournalError({ code: 'JOURNAL_FULL', limit, detail });
  }

  /** Lets whole files go that hold trimmed records only. */
  #trimSoon(): void {
    const { segments } = this.#machine;
    const segment = segments.list[segments.find(this.#machine.state.oldest)];
    if (this.#trimming !== null || this.#isClosed || segment === undefined) return;
    if (!this.#machine.prepareTrim(segment)) return;
    this.#trimming = this.#group
      .forgetLog()
      .then(() => this.#machine.forgetTrimmed())
      // Closed meanwhile, or failed: then the group has said so. What is left goes another time.
      .catch(() => undefined)
      .finally(() => void (this.#trimming = null));
  }

  get #nowMs(): number {
    return Math.floor(this.#options.environment.clock.nowMs());
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }
}

function appendOutcome(result: ShardOutcome): AppendOutcome {
  switch (result.kind) {
    case 'appended':
      return { kind: 'appended', base: result.base as Offset };
    case 'duplicate':
      return { kind: 'duplicate', base: result.base as Offset | null };
    case 'fenced':
    case 'outOfOrder':
      return result;
    case 'tooManyProducers': {
      const detail = 'the shard knows too many producers that appended within a day';
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail });
    }
    default:
      throw new TypeError(`an append does not end as ${result.kind}`);
  }
}
