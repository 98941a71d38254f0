/**
 * The placement store in one process and in memory, with a time that only tests move.
 *
 * It is the state machine of the placement center without a network, a disk or a log: what passes
 * here holds there as far as one caller can see.
 */
import {
  applyCommand,
  attachedKey,
  attachmentRecordRange,
  type CallOptions,
  type Command,
  type CommandResult,
  decodeKeyValue,
  DEFAULT_COMMAND_LIMITS,
  DEFAULT_STATE_MACHINE_LIMITS,
  faultOfRefusal,
  type InvalidRequest,
  isEmptyRange,
  type KeyValue,
  keyRecordRange,
  type Lease,
  type LeaseId,
  leaseRecord,
  type LeaseStatus,
  MemoryRecords,
  metaOf,
  type Placement,
  PlacementError,
  type RangeReply,
  type RangeRequest,
  rangeResult,
  recordedKey,
  recordedTtlSeconds,
  type Revision,
  type StateMachineLimits,
  type Transaction,
  type TransactionResult,
  validateRange,
  validateTransaction,
  validateTtl,
  type Watch,
  type WatchRequest,
} from '@robustmq/placement';
import { MemoryWatch } from './memory-watch.ts';

export class MemoryPlacement implements Placement {
  /** What the state machine has written: for tests that look inside. */
  readonly records: MemoryRecords = new MemoryRecords();
  readonly #limits: StateMachineLimits;
  readonly #endsAtSeconds = new Map<LeaseId, number>();
  readonly #watches = new Set<MemoryWatch>();
  #nowSeconds = 0;
  #isClosed = false;

  constructor(limits: StateMachineLimits = DEFAULT_STATE_MACHINE_LIMITS) {
    this.#limits = limits;
  }

  /** Of the newest change. */
  get revision(): Revision {
    return metaOf(this.records).revision;
  }

  /** Lets time pass: leases that were not kept alive end, in the order of their ends. */
  advance(seconds: number): void {
    this.#nowSeconds += seconds;
    const ended = [...this.#endsAtSeconds]
      .filter(([, endsAt]) => endsAt <= this.#nowSeconds)
      .sort(([leftId, left], [rightId, right]) => left - right || leftId - rightId);
    for (const [id] of ended) this.#revoke(id, 'expired');
    for (const watch of this.#watches) watch.timePassed(seconds * 1000);
  }

  async range(request: RangeRequest, options: CallOptions): Promise<RangeReply> {
    this.#admit(validateRange(request.range, DEFAULT_COMMAND_LIMITS), options);
    return { ...rangeResult(this.#keyValues(request), request), revision: this.revision };
  }

  *#keyValues({ range }: RangeRequest): Generator<KeyValue> {
    if (isEmptyRange(range)) return;
    for (const [record, value] of this.records.range(keyRecordRange(range))) {
      yield decodeKeyValue(recordedKey(record), value);
    }
  }

  async transact(transaction: Transaction, options: CallOptions): Promise<TransactionResult> {
    this.#admit(validateTransaction(transaction, DEFAULT_COMMAND_LIMITS), options);
    const done = this.#apply({ kind: 'transact', transaction });
    if (done.kind !== 'transacted') throw unexpected(done);
    return done.result;
  }

  watch(request: WatchRequest): Watch {
    const watch = new MemoryWatch(this.records, request, () => this.#watches.delete(watch));
    if (this.#isClosed) watch.close();
    else this.#watches.add(watch);
    return watch;
  }

  async grantLease(ttlSeconds: number, options: CallOptions): Promise<Lease> {
    this.#admit(validateTtl(ttlSeconds), options);
    const done = this.#apply({ kind: 'grantLease', id: null, ttlSeconds, requestId: null });
    if (done.kind !== 'leaseGranted') throw unexpected(done);
    this.#endsAtSeconds.set(done.id, this.#nowSeconds + ttlSeconds);
    return { id: done.id, ttlSeconds };
  }

  async keepLease(id: LeaseId, options: CallOptions): Promise<Lease> {
    this.#admit(null, options);
    const ttlSeconds = this.#ttlOf(id);
    this.#endsAtSeconds.set(id, this.#nowSeconds + ttlSeconds);
    return { id, ttlSeconds };
  }

  async revokeLease(id: LeaseId, options: CallOptions): Promise<void> {
    this.#admit(null, options);
    this.#revoke(id, 'asked');
  }

  async readLease(id: LeaseId, options: CallOptions): Promise<LeaseStatus> {
    this.#admit(null, options);
    const ttlSeconds = this.#ttlOf(id);
    const remainingSeconds = (this.#endsAtSeconds.get(id) ?? 0) - this.#nowSeconds;
    const attachments = [...this.records.range(attachmentRecordRange(id))];
    const keys = attachments.map(([record]) => attachedKey(record));
    return { id, ttlSeconds, remainingSeconds, keys };
  }

  async compact(revision: Revision, options: CallOptions): Promise<void> {
    this.#admit(null, options);
    this.#apply({ kind: 'compact', revision });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const watch of [...this.#watches]) watch.close();
  }

  #ttlOf(id: LeaseId): number {
    const record = this.records.get(leaseRecord(id));
    if (record !== undefined) return recordedTtlSeconds(record);
    throw new PlacementError({ code: 'PLACEMENT_LEASE_NOT_FOUND', lease: id });
  }

  #revoke(id: LeaseId, reason: 'asked' | 'expired'): void {
    for (;;) {
      const done = this.#apply({ kind: 'revokeLease', id, reason });
      if (done.kind !== 'leaseRevoked' || !done.more) break;
    }
    this.#endsAtSeconds.delete(id);
  }

  #apply(command: Command): Exclude<CommandResult, { kind: 'refused' }> {
    const { writes, result, events } = applyCommand(this.records, command, this.#limits);
    if (result.kind === 'refused') throw new PlacementError(faultOfRefusal(result.refusal));
    this.records.apply(writes);
    if (events.length > 0) for (const watch of this.#watches) watch.changed();
    return result;
  }

  #admit(invalid: InvalidRequest | null, options: CallOptions): void {
    if (this.#isClosed) throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
    if (invalid !== null) throw new PlacementError(invalid);
    if (options.signal?.aborted === true) {
      throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail: 'the call was cancelled' });
    }
  }
}

function unexpected(result: CommandResult): Error {
  return new Error(`the state machine answered with ${result.kind}`);
}
