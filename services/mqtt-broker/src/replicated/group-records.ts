import type { TimerHandle, Timers } from '@robustmq/environment';
import type { GroupDealer } from './group-dealer.ts';
import type { SessionRecords } from './session-records.ts';

/** Progress that a new dealer finds in the shards all the same is written within this time. */
const SOON_MS = 200;
const REFRESH_SECONDS = 10;

/** The key of a group beside those of sessions: no client identifier begins so. */
export function groupRecordKey(key: string): string {
  return `\u0000${key}`;
}

/**
 * The records of the groups that this broker deals out, in the keyed shards `sessions-*`: where they are
 * in the message shards, written like a session that has nothing open.
 */
export class GroupRecords {
  readonly #records: SessionRecords;
  readonly #timers: Timers;
  readonly #soon = new Set<GroupDealer>();
  #timer: TimerHandle | null = null;
  #ticks = 0;

  constructor(records: SessionRecords, timers: Timers) {
    this.#records = records;
    this.#timers = timers;
  }

  put(dealer: GroupDealer): void {
    this.#soon.delete(dealer);
    const key = groupRecordKey(dealer.term.key);
    const table = this.#records.tableOf(key);
    table.put(key, dealer);
    table.start();
  }

  putSoon(dealer: GroupDealer): void {
    this.#soon.add(dealer);
    this.#timer ??= this.#timers.after(SOON_MS, () => {
      this.#timer = null;
      for (const each of [...this.#soon]) this.put(each);
    });
  }

  /** Settles when its record is written. */
  async written(dealer: GroupDealer): Promise<void> {
    this.put(dealer);
    const table = this.#records.tableOf(groupRecordKey(dealer.term.key));
    await new Promise<void>((resolve) => {
      table.afterWrite(resolve);
      table.start();
    });
  }

  /** Once a second: what a group that has nothing to deal does not need may be trimmed. */
  tick(dealers: Iterable<GroupDealer>): void {
    this.#ticks += 1;
    if (this.#ticks % REFRESH_SECONDS !== 0) return;
    for (const dealer of dealers) this.putSoon(dealer);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#soon.clear();
  }
}
