/** The placement as code in the same process sees it. Not the leader's process: writes say who leads. */
import type { Timers } from '@robustmq/environment';
import {
  type CallOptions,
  type Command,
  type CommandResult,
  DEFAULT_COMMAND_LIMITS,
  encodeCommand,
  type InvalidRequest,
  type Lease,
  type LeaseId,
  type LeaseStatus,
  type Placement,
  PlacementError,
  type PlacementFault,
  type RangeReply,
  type RangeRequest,
  type Revision,
  type Transaction,
  type TransactionResult,
  validateRange,
  validateTransaction,
  validateTtl,
  type Watch,
  type WatchRequest,
} from '@robustmq/placement';
import type { PlacementStore } from '@robustmq/placement-store';
import type { RaftGroup } from '@robustmq/raft-driver';
import { withinDeadline } from './deadline.ts';
import { type AddressOf, placementErrorFrom, refusalError } from './faults.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { ReadGate } from './read-gate.ts';
import type { WatchHub } from './watch-hub.ts';

export interface InProcessPlacementParts {
  readonly group: RaftGroup<CommandResult>;
  readonly store: PlacementStore;
  readonly timers: Timers;
  readonly hub: WatchHub;
  readonly keeper: LeaseKeeper;
  readonly gate: ReadGate;
  readonly addressOf: AddressOf;
  readonly counters: PlacementCounters;
}

/** Totals since the member was opened. */
export interface PlacementCounters {
  proposals: number;
  proposalsFailed: number;
}

export class InProcessPlacement implements Placement {
  readonly #parts: InProcessPlacementParts;
  #isClosed = false;

  constructor(parts: InProcessPlacementParts) {
    this.#parts = parts;
  }

  async range(request: RangeRequest, options: CallOptions): Promise<RangeReply> {
    this.#check(validateRange(request.range, DEFAULT_COMMAND_LIMITS));
    if (request.consistency === 'linearizable') await this.#passGate(options);
    return this.#parts.store.range(request);
  }

  async transact(transaction: Transaction, options: CallOptions): Promise<TransactionResult> {
    this.#check(validateTransaction(transaction, DEFAULT_COMMAND_LIMITS));
    const result = await this.propose({ kind: 'transact', transaction }, options);
    return expectKind(result, 'transacted').result;
  }

  watch(request: WatchRequest): Watch {
    this.#check(validateRange(request.range, DEFAULT_COMMAND_LIMITS));
    return this.#parts.hub.open(request);
  }

  async grantLease(ttlSeconds: number, options: CallOptions): Promise<Lease> {
    this.#check(validateTtl(ttlSeconds));
    const command: Command = { kind: 'grantLease', id: null, ttlSeconds, requestId: null };
    const granted = expectKind(await this.propose(command, options), 'leaseGranted');
    return { id: granted.id, ttlSeconds: granted.ttlSeconds };
  }

  async keepLease(id: LeaseId, options: CallOptions): Promise<Lease> {
    this.#check(null);
    this.#assertKeeps();
    return withinDeadline(this.#parts.timers, this.#parts.keeper.keep(id), options, unavailable);
  }

  async revokeLease(id: LeaseId, options: CallOptions): Promise<void> {
    this.#check(null);
    await this.endLease(id, 'asked', options);
  }

  async readLease(id: LeaseId, options: CallOptions): Promise<LeaseStatus> {
    this.#check(null);
    this.#assertKeeps();
    await this.#passGate(options);
    const lease = await this.#parts.store.readLease(id);
    if (lease === null) throw new PlacementError({ code: 'PLACEMENT_LEASE_NOT_FOUND', lease: id });
    const remainingSeconds = this.#parts.keeper.remainingSeconds(id) ?? lease.ttlSeconds;
    return { ...lease, remainingSeconds };
  }

  async compact(revision: Revision, options: CallOptions): Promise<void> {
    this.#check(null);
    await this.propose({ kind: 'compact', revision }, options);
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#parts.hub.close();
    return Promise.resolve();
  }

  /** Ends a lease with all its keys, in as many commands as they take. */
  async endLease(id: LeaseId, reason: 'asked' | 'expired', options: CallOptions): Promise<void> {
    const piece = async (): Promise<boolean> =>
      expectKind(await this.propose({ kind: 'revokeLease', id, reason }, options), 'leaseRevoked')
        .more;
    let more = await piece();
    try {
      while (more) more = await piece();
    } catch (error) {
      // The lease has ended, whatever failed; the keeper of the leader goes on with its keys.
      const code = error instanceof PlacementError ? error.fault.code : null;
      if (code === 'PLACEMENT_LEASE_NOT_FOUND') return;
      const fault = outcomeUnknown('the lease has ended, but keys of it may be left for a while');
      throw new PlacementError(fault, { cause: error });
    }
  }

  /** Appends a command and waits until it is applied here. @throws PlacementError; refusals too */
  async propose(command: Command, options: CallOptions): Promise<CommandResult> {
    const { group, timers, counters, addressOf } = this.#parts;
    const data = encodeCommand(command);
    if (data.length > DEFAULT_COMMAND_LIMITS.commandBytesMax) {
      const detail = `the command has ${String(data.length)} bytes, more than ${String(DEFAULT_COMMAND_LIMITS.commandBytesMax)}`;
      throw new PlacementError({ code: 'PLACEMENT_INVALID', detail });
    }
    counters.proposals += 1;
    try {
      const work = group.propose(data, options.deadlineMs);
      const { result } =
        options.signal === null
          ? await work
          : await withinDeadline(timers, work, options, outcomeUnknown);
      if (result.kind === 'refused') throw refusalError(result.refusal);
      return result;
    } catch (error) {
      counters.proposalsFailed += 1;
      throw placementErrorFrom(error, addressOf);
    }
  }

  async #passGate(options: CallOptions): Promise<void> {
    const { gate, timers, addressOf } = this.#parts;
    try {
      await withinDeadline(timers, gate.pass(), options, unavailable);
    } catch (error) {
      throw placementErrorFrom(error, addressOf);
    }
  }

  #assertKeeps(): void {
    const { keeper, group, addressOf } = this.#parts;
    if (keeper.isKeeping) return;
    const { leader, id } = group.status;
    if (leader !== id) {
      const at = leader === null ? null : addressOf(leader);
      throw new PlacementError({ code: 'PLACEMENT_NOT_LEADER', leader: at });
    }
    throw new PlacementError(unavailable('the new leader has not read the leases yet'));
  }

  #check(invalid: InvalidRequest | null): void {
    if (this.#isClosed) throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
    if (invalid !== null) throw new PlacementError(invalid);
  }
}

function unavailable(detail: string): PlacementFault {
  return { code: 'PLACEMENT_UNAVAILABLE', detail };
}

function outcomeUnknown(detail: string): PlacementFault {
  return { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail };
}

function expectKind<Kind extends CommandResult['kind']>(
  result: CommandResult,
  kind: Kind,
): Extract<CommandResult, { kind: Kind }> {
  if (result.kind === kind) return result as Extract<CommandResult, { kind: Kind }>;
  throw new TypeError(`a ${result.kind} is no answer to this command: ${kind} was expected`);
}
