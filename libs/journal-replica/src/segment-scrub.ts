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
/** A segment whose damage stayed is looked at again no sooner. */
const LEFT_PAUSE_MS = 1000;

/**
 * Asks the other replicas for Raft entries, as their `ShardReplica.encodeEntries` gives them. Null:
 * all of them have answered, and none has the entries. It rejects when one that may have them did
 * not answer, and has a deadline of its own.
 */
export type FetchEntries = (from: LogIndex, through: LogIndex) => Promise<Uint8Array | null>;

export interface ScrubCounters {
  /** Complete passes over all complete segments. */
  readonly passes: number;
  readonly bytesRead: number;
  readonly damagedFound: number;
  readonly mended: number;
}

/** A stretch of a file of the log that failed its checksum, and what became of it. */
export interface FoundDamage extends DamagedBatch {
  readonly file: string;
  /**
   * `absent`: no other replica has these entries. `unanswered`: one that may have them did not
   * answer; it is asked again when the stretch is read again.
   */
  readonly outcome: 'mended' | 'absent' | 'unanswered';
  /** Why it is not mended; empty when it is. */
  readonly detail: string;
}

export interface ScrubParts {
  readonly timers: Timers;
  readonly log: () => GroupLog | null;
  /** Null: nothing is read unless somebody met damage. */
  readonly bytesPerSecond: (() => number) | null;
  readonly fetchEntries: FetchEntries;
  /** Told of each stretch, each time it is found. */
  readonly onDamage: (found: FoundDamage) => void;
}

export class SegmentScrub {
  readonly #parts: ScrubParts;
  readonly #timer: TimerHandle | null;
  readonly #suspects = new Set<number>();
  /** Segments that readers wait for, and for a while those whose damage stayed. */
  readonly #lookedAfter = new Map<number, Promise<readonly FoundDamage[]>>();
  readonly #pauses = new Set<TimerHandle>();
  /** One file is looked at, and mended, at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #at: { readonly number: number; readonly place: LookPlace | null } | null = null;
  #working: Promise<void> | null = null;
  #isStopped = false;
  #passes = 0;
  #bytesRead = 0;
  #damagedFound = 0;
  #mended = 0;

  constructor(parts: ScrubParts) {
    this.#parts = parts;
    const isOff = parts.bytesPerSecond === null;
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

  /**
   * Has a segment mended in which a reader met damage.
   *
   * @returns what is damaged still
   * @throws RaftError RAFT_IO_FAILED
   */
  mended(number: number): Promise<readonly FoundDamage[]> {
    const known = this.#lookedAfter.get(number);
    if (known !== undefined) return known;
    const looking = this.#lookAtAll(number);
    this.#lookedAfter.set(number, looking);
    const forget = (): void => void this.#lookedAfter.delete(number);
    looking.then((left) => (left.length === 0 ? forget() : this.#afterPause(forget)), forget);
    return looking;
  }

  /** Looks at every complete segment now. @returns what is damaged still */
  async verify(): Promise<readonly DamagedBatch[]> {
    const left: DamagedBatch[] = [];
    for (const { number } of this.#parts.log()?.segments() ?? []) {
      for (const { position, after, from, through } of await this.#lookAtAll(number)) {
        left.push({ position, after, from, through });
      }
    }
    return left;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const pause of this.#pauses) pause.cancel();
    await this.#working;
    await this.#turn;
  }

  #afterPause(then: () => void): void {
    if (this.#isStopped) return then();
    const pause = this.#parts.timers.after(LEFT_PAUSE_MS, () => {
      this.#pauses.delete(pause);
      then();
    });
    this.#pauses.add(pause);
  }

  #inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    const running = this.#turn.then(step);
    this.#turn = running.catch(() => undefined);
    return running;
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
      await this.mended(number);
    }
    if (isTime) await this.#inTurn(() => this.#lookFurther());
  }

  /** One portion of the slow pass. */
  async #lookFurther(): Promise<void> {
    const log = this.#parts.log();
    const numbers = log?.segments().map(({ number }) => number) ?? [];
    const wanted = this.#at?.number ?? 0;
    const number = numbers.find((each) => each >= wanted);
    if (log === null || number === undefined) return this.#begin();
    const from = this.#at?.number === number ? this.#at.place : null;
    const bytesMax = (this.#parts.bytesPerSecond?.() ?? 0) * (PERIOD_MS / 1000);
    if (bytesMax <= 0) return;
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

  #lookAtAll(number: number): Promise<readonly FoundDamage[]> {
    return this.#inTurn(async () => {
      const log = this.#parts.log();
      const left: FoundDamage[] = [];
      let from: LookPlace | null = null;
      while (log !== null && !this.#isStopped) {
        const look = await log.look(number, { from, bytesMax: LOOK_BYTES });
        if (look === null) break;
        left.push(...(await this.#mend(log, number, look.damaged)));
        from = look.next;
        if (from === null) break;
      }
      return left;
    });
  }

  /** @returns what could not be mended */
  async #mend(
    log: GroupLog,
    number: number,
    damaged: readonly DamagedBatch[],
  ): Promise<readonly FoundDamage[]> {
    const left: FoundDamage[] = [];
    for (const damage of damaged) {
      this.#damagedFound += 1;
      const file = log.segments().find((each) => each.number === number)?.path ?? '';
      const found = { ...damage, file, ...(await this.#attempt(log, number, damage)) };
      if (found.outcome === 'mended') this.#mended += 1;
      else left.push(found);
      this.#parts.onDamage(found);
    }
    return left;
  }

  async #attempt(
    log: GroupLog,
    number: number,
    damage: DamagedBatch,
  ): Promise<Pick<FoundDamage, 'outcome' | 'detail'>> {
    let entries: Uint8Array | null;
    try {
      entries = await this.#parts.fetchEntries(damage.from, damage.through);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { outcome: 'unanswered', detail };
    }
    if (entries !== null && (await log.mend(number, damage, entries))) {
      return { outcome: 'mended', detail: '' };
    }
    const detail =
      entries === null ? 'no other replica has these entries' : 'the entries of another do not fit';
    return { outcome: 'absent', detail };
  }
}
