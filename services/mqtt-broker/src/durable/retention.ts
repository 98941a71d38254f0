import { nextTurn } from '@robustmq/environment';
import { log, logEvents } from '@robustmq/telemetry';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { DurableGroup } from './durable-group.ts';
import { consumerOf, embeddedGroups, embeddedLog } from './embedded-log.ts';
import { LagLimit } from './lag-limit.ts';
import type { LogConsumer } from './log-consumer.ts';
import type { OpenedStorage } from './open-storage.ts';

const TRIM_SECONDS = 2;
const SWEEP_SECONDS = 10;
const TOPICS_PER_TURN = 500;

/**
 * Keeps the journal as small as its readers allow, and messages out of it when it is full.
 *
 * A segment goes when no session, group or checkpoint needs a record of it. A reader that is behind
 * is moved past segments that hold nothing for it, so that a rare subscription pins no storage.
 * Nothing that was acknowledged is dropped to make room, unless somebody set how far a reader may lag
 * ({@link LagLimit}): above the limits new durable messages are refused (0x97) until there is room.
 *
 * LIMIT: journalBytesMax, diskFreeBytesMin
 */
export class Retention {
  readonly #context: BrokerContext;
  readonly #storage: OpenedStorage;
  readonly #lagLimit: LagLimit;
  #busy = false;
  #refusedWhenFull = 0;

  constructor(context: BrokerContext, storage: OpenedStorage) {
    this.#context = context;
    this.#storage = storage;
    this.#lagLimit = new LagLimit(context, storage);
  }

  /** Once a second. */
  tick(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#work()
      .catch((error: unknown) => {
        const err = error instanceof Error ? error : new Error(String(error));
        log(this.#context.logger, logEvents.taskFailed, { task: 'retention', err });
      })
      .finally(() => {
        this.#busy = false;
      });
  }

  async #work(): Promise<void> {
    const { tick } = this.#context;
    const durable = embeddedLog(this.#context);
    if (tick % TRIM_SECONDS === 0 || durable.full) await this.#trim();
    if (tick % SWEEP_SECONDS === 0 || durable.full) await this.#sweepAll();
    if (tick % TRIM_SECONDS === 0) await this.#lagLimit.enforce();
    await this.#measureRoom();
  }

  async #trim(): Promise<void> {
    const { shard } = this.#storage;
    const needed = this.#oldestNeeded();
    if (needed > shard.oldest) await shard.trimBefore(needed as typeof shard.oldest);
  }

  #oldestNeeded(): number {
    const context = this.#context;
    const next = embeddedLog(context).shard.next;
    let oldest = embeddedGroups(context).oldestPlace(next);
    for (const session of context.sessions.all()) {
      const consumer = consumerOf(session);
      if (consumer === null) continue;
      oldest = Math.min(oldest, consumer.placeInLog(next));
      if (session.hasWindow) oldest = session.window.oldestOffset(oldest);
    }
    return Math.min(oldest, this.#storage.checkpointer?.position ?? next);
  }

  /** Segment by segment, as long as one goes: else a fast publisher would fill the disk meanwhile. */
  async #sweepAll(): Promise<void> {
    const { shard } = this.#storage;
    for (let oldest = -1; oldest !== shard.oldest; ) {
      oldest = shard.oldest;
      await this.#sweep();
      await this.#trim();
    }
  }

  /** Moves readers past the oldest segment when none of its topics is for them. */
  async #sweep(): Promise<void> {
    const context = this.#context;
    const summary = await this.#storage.shard.oldestSegment();
    if (summary === null) return;
    const lagging = laggingReaders(context, summary.after);
    if (lagging.size === 0) return;
    for (let index = 0; index < summary.topics.length && lagging.size > 0; index += 1) {
      keepNeeded(context, summary.topics[index] as string, lagging);
      if (index % TOPICS_PER_TURN === TOPICS_PER_TURN - 1) await nextTurn();
    }
    for (const reader of lagging) readerOf(reader)?.skipTo(summary.after);
  }

  async #measureRoom(): Promise<void> {
    const { settings } = this.#context;
    const durable = embeddedLog(this.#context);
    const { journalBytesMax } = settings.storage;
    const free = (await this.#storage.freeBytes()) - this.#storage.reserveBytes;
    const allowed =
      journalBytesMax === 0
        ? free
        : Math.min(free, journalBytesMax - this.#storage.shard.stats.bytes);
    durable.roomBytes = allowed;
    if (allowed <= 0) {
      if (!durable.full) {
        durable.full = true;
        this.#refusedWhenFull = this.#context.counters.durablePublishesRefused;
        const limit = free <= 0 ? 'disk' : 'configured';
        const detail = `${Math.max(0, free)} bytes free beyond the reserve, journal of ${this.#storage.shard.stats.bytes} bytes`;
        log(this.#context.logger, logEvents.journalFull, {
          shard: this.#storage.shard.name,
          limit,
          detail,
        });
      }
      return;
    }
    // In memory nothing is saved, so there is nothing to catch up.
    if (this.#storage.checkpointer === null) durable.needsCheckpoint = false;
    if (!durable.full || durable.needsCheckpoint) return;
    // Open again only with some room, so that it does not flap with every message.
    if (allowed < this.#storage.reserveBytes / 4) return;
    durable.full = false;
    log(this.#context.logger, logEvents.journalWritable, {
      shard: this.#storage.shard.name,
      refused: this.#context.counters.durablePublishesRefused - this.#refusedWhenFull,
    });
  }
}

type Reader = ClientSession | DurableGroup;

function readerOf(reader: Reader): LogConsumer | null {
  return reader.consumer as LogConsumer | null;
}

/** Sessions and groups whose place is below `after`, connected or not. */
function laggingReaders(context: BrokerContext, after: number): Set<Reader> {
  const lagging = new Set<Reader>();
  for (const reader of [...context.sessions.all(), ...embeddedGroups(context).all()]) {
    const consumer = readerOf(reader);
    if (consumer !== null && !consumer.live && consumer.position < after) lagging.add(reader);
  }
  return lagging;
}

/** Takes the readers that want `topic` out of `lagging`. */
function keepNeeded(context: BrokerContext, topic: string, lagging: Set<Reader>): void {
  if (topic.charCodeAt(0) === 0) {
    const session = context.sessions.byNumber(Number(topic.slice(1)));
    if (session !== undefined) lagging.delete(session);
    return;
  }
  const match = context.router.match(context.router.topicOf(topic));
  for (const delivery of match.durable) lagging.delete(delivery.subscriber as ClientSession);
  for (const group of match.shared) {
    if (group.state !== null) lagging.delete(group.state as DurableGroup);
  }
}
