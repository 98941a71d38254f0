import { topicHashOf } from '@robustmq/broker';
import type { TimerHandle, Timers } from '@robustmq/environment';
import type { ClientSession } from '../session/client-session.ts';
import { SessionCursor } from './session-cursor.ts';
import type { TableWriter } from './table-writer.ts';

/** Progress that a crash may undo, since QoS 1 repeats, is written within this time. */
const SOON_MS = 200;
/** A record is written anew when its places are so many records behind, looked at so often. */
const REFRESH_RECORDS = 10_000;
const REFRESH_SECONDS = 10;
/** Every so many looks, however few they are. */
const SLOW_ROUND = 30;
const UTF8 = new TextEncoder();

/**
 * The records of this broker's sessions in the keyed shards `sessions-*`: one for each session, in the
 * shard of its client identifier.
 */
export class SessionRecords {
  readonly #tables: readonly TableWriter[];
  readonly #timers: Timers;
  readonly #soon = new Set<ClientSession>();
  #timer: TimerHandle | null = null;
  #ticks = 0;

  constructor(tables: readonly TableWriter[], timers: Timers) {
    this.#tables = tables;
    this.#timers = timers;
  }

  tableOf(clientId: string): TableWriter {
    const number = topicHashOf(UTF8.encode(clientId)) % this.#tables.length;
    return this.#tables[number] as TableWriter;
  }

  /** Their records are in the next writes of the tables that are returned. */
  putAll(sessions: ReadonlySet<ClientSession>): ReadonlySet<TableWriter> {
    const touched = new Set<TableWriter>();
    for (const session of sessions) {
      const table = this.#put(session);
      if (table !== null) touched.add(table);
    }
    return touched;
  }

  /** For what nobody waits for. */
  putSoon(session: ClientSession): void {
    if (!(session.consumer instanceof SessionCursor)) return;
    this.#soon.add(session);
    this.#timer ??= this.#timers.after(SOON_MS, () => this.#putWaiting());
  }

  /** @returns the table that will have no record of it, once written; it has been started */
  remove(clientId: string, fence: number): TableWriter {
    const table = this.tableOf(clientId);
    table.put(clientId, { fence, value: () => null, refused: () => {} });
    table.start();
    return table;
  }

  /**
   * Once a second: records of sessions that move on without a message of their own, since the oldest place
   * in any record is what the shards must keep.
   */
  refresh(sessions: Iterable<ClientSession>): void {
    this.#ticks += 1;
    if (this.#ticks % REFRESH_SECONDS !== 0) return;
    const isSlowRound = this.#ticks % (REFRESH_SECONDS * SLOW_ROUND) === 0;
    for (const session of sessions) {
      const { consumer } = session;
      if (!(consumer instanceof SessionCursor) || !consumer.isOurs) continue;
      const moved = consumer.movedSinceWritten;
      if (moved > REFRESH_RECORDS || (isSlowRound && moved > 0)) this.putSoon(session);
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#soon.clear();
  }

  #put(session: ClientSession): TableWriter | null {
    const { consumer } = session;
    if (!(consumer instanceof SessionCursor) || !consumer.isOurs) return null;
    this.#soon.delete(session);
    const table = this.tableOf(session.clientId);
    table.put(session.clientId, consumer);
    return table;
  }

  #putWaiting(): void {
    this.#timer = null;
    for (const table of this.putAll(new Set(this.#soon))) table.start();
    this.#soon.clear();
  }
}
