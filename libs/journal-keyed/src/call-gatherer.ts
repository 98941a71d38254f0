/**
 * Puts the calls of one turn of the event loop into one proposal.
 *
 * Cost: one proposal per turn, and one object per call. What is on its way is bounded by the Raft group,
 * which refuses proposals as `overloaded`.
 */
import type { Clock, Timers } from '@robustmq/environment';
import { callBytesMax, encodeKeyedCommand, hasFittingKeys } from '@robustmq/keyed';
import type { KeyedCall, KeyedResult, KeyedTerms } from '@robustmq/keyed';
import { RaftError, type RaftGroup } from '@robustmq/raft-driver';

/** A proposal is closed at this size, unless one call alone is larger. */
const COMMAND_BYTES = 256 * 1024;

interface GatheredCall {
  readonly call: KeyedCall;
  readonly resolve: (result: KeyedResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface CallGathererOptions {
  readonly group: RaftGroup<readonly KeyedResult[]>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly limits: Omit<KeyedTerms, 'nowMs'>;
}

export class CallGatherer {
  readonly #options: CallGathererOptions;
  #calls: GatheredCall[] = [];
  #bytes = 0;
  /** Of all that are gathered: calls with another deadline go apart. */
  #deadlineMs = 0;
  #isScheduled = false;

  constructor(options: CallGathererOptions) {
    this.#options = options;
  }

  /** Throws as `RaftGroup.propose` does. */
  submit(call: KeyedCall, deadlineMs: number): Promise<KeyedResult> {
    if (!hasFittingKeys(call)) {
      const fault = { code: 'RAFT_REFUSED', reason: 'tooLarge', leader: null } as const;
      return Promise.reject(new RaftError(fault));
    }
    const bytes = callBytesMax(call);
    if (deadlineMs !== this.#deadlineMs || this.#bytes + bytes > COMMAND_BYTES) this.#propose();
    this.#deadlineMs = deadlineMs;
    this.#bytes += bytes;
    this.#schedule();
    return new Promise((resolve, reject) => {
      this.#calls.push({ call, resolve, reject });
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.timers.soon(() => {
      this.#isScheduled = false;
      this.#propose();
    });
  }

  #propose(): void {
    const gathered = this.#calls;
    if (gathered.length === 0) return;
    this.#calls = [];
    this.#bytes = 0;
    const { group, clock, limits } = this.#options;
    const terms = { nowMs: clock.nowMs(), ...limits };
    const data = encodeKeyedCommand(
      terms,
      gathered.map(({ call }) => call),
    );
    group.propose(data, this.#deadlineMs).then(
      ({ result }) => {
        for (const [at, { resolve }] of gathered.entries()) resolve(result[at] as KeyedResult);
      },
      (error: unknown) => {
        for (const { reject } of gathered) reject(error);
      },
    );
  }
}
