/**
 * Reads complete segments again and again, slowly, and has what is damaged mended from another
 * replica. Damage that a reader meets is looked after first.
 */
import type { TimerHandle, Timers } from '@robustmq/environment';
import type { LogIndex } from '@robustmq/raft';
import type { DamagedBatch, GroupLog, LookPlace } from '@robustmq/raft-driver';

const PERIOD_MS = 1000;
/** How much of a suspected segment is read at a time. */
const LOOK_BYTES = 4 * 1024 * 1024;

/**
 * Asks another replica for Raft entries, as its `ShardReplica.encodeEntries` gives them. Null when
 * nobody has them now. It has a deadline of its own.
 */
export type FetchEntries = (from: LogIndex, through: LogIndex) => Promise<Uint8Array | null>;

export interface ScrubCounters {
  /** Complete passes over all complete segments. */
  readonly passes: number;
  readonly bytesRead: number;
  readonly damagedFound: number;
  readonly mended: number;
}

export interface ScrubParts {
  readonly timers: Timers;
  readonly log: () => GroupLog | null;
  readonly bytesPerSecond: number;
  readonly fetchEntries: FetchEntries;
}

export class SegmentScrub {
  readonly #parts: ScrubParts;
  readonly #timer: TimerHandle | null;
  readonly #suspects = new Set<number>();
  #at: { readonly number: number; readonly place: LookPlace | null } | null = null;
  #working: Promise<void> | null = null;
  #isStopped = false;
  #passes = 0;
  #bytesRead = 0;
  #damagedFound = 0;
  #mended = 0;

  constructor(parts: ScrubParts) {
    this.#parts = parts;
    const isOff = parts.bytesPerSecond === 0;
    this.#timer = isOff ? null : parts.timers.every(PERIOD_MS, () => this.#wake(true));
  }

  get counters(): ScrubCounters {
    return {
      passes: this.#passes,
      bytesRead: this.#bytesRead,
      damagedFound: this.#damagedFound,
      mended: this.#mended,
    };
  }

  /** Somebody met damage in this segment. */
  suspect(number: number): void {
    this.#suspects.add(number);
    this.#wake(false);
  }

  /** Looks at every complete segment now. @returns what is damaged still */
  async verify(): Promise<readonly DamagedBatch[]> {
    const left: DamagedBatch[] = [];
    for (const { number } of this.#parts.log()?.segments() ?? []) {
      left.push(...(await this.#lookAtAll(number)));
    }
    return left;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#working;
  }

  #wake(isTime: boolean): void {
    if (this.#working !== null || this.#isStopped) return;
    this.#working = this.#work(isTime)
      // The disk failed, or the group is over: it says so itself, and the next look meets it again.
      .catch(() => undefined)
      .finally(() => void (this.#working = null));
  }

  async #work(isTime: boolean): Promise<void> {
    for (const number of this.#suspects) {
      this.#suspects.delete(number);
      await this.#lookAtAll(number);
    }
    if (isTime) await this.#lookFurther();
  }

  /** One portion of the slow pass. */
  async #lookFurther(): Promise<void> {
    const log = this.#parts.log();
    const numbers = log?.segments().map(({ number }) => number) ?? [];
    const wanted = this.#at?.number ?? 0;
    const number = numbers.find((each) => each >= wanted);
    if (log === null || number === undefined) return this.#begin();
    const from = this.#at?.number === number ? this.#at.place : null;
    const bytesMax = this.#parts.bytesPerSecond * (PERIOD_MS / 1000);
    const look = await log.look(number, { from, bytesMax });
    if (look === null) return this.#begin();
    this.#bytesRead += look.bytes;
    await this.#mend(log, number, look.damaged);
    this.#at =
      look.next === null ? { number: number + 1, place: null } : { number, place: look.next };
  }

  #begin(): void {
    if (this.#at !== null) this.#passes += 1;
    this.#at = null;
  }

  async #lookAtAll(number: number): Promise<readonly DamagedBatch[]> {
    const log = this.#parts.log();
    const left: DamagedBatch[] = [];
    let from: LookPlace | null = null;
    while (log !== null && !this.#isStopped) {
      const look = await log.look(number, { from, bytesMax: LOOK_BYTES });
      if (look === null) break;
      left.push(...(await this.#mend(log, number, look.damaged)));
      from = look.next;
      if (from === null) break;
    }
    return left;
  }

  /** @returns what could not be mended */
  async #mend(
    log: GroupLog,
    number: number,
    damaged: readonly DamagedBatch[],
  ): Promise<readonly DamagedBatch[]> {
    const left: DamagedBatch[] = [];
    for (const damage of damaged) {
      this.#damagedFound += 1;
      const entries = await this.#parts.fetchEntries(damage.from, damage.through);
      const isMended = entries !== null && (await log.mend(number, damage, entries));
      if (isMended) this.#mended += 1;
      else left.push(damage);
    }
    return left;
  }
}
