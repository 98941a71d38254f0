import type { Offset, SegmentSummary } from '@robustmq/journal';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { ExchangeState } from '@robustmq/mqtt-session';
import { log, logEvents } from '@robustmq/telemetry';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import { consumerOf, embeddedGroups } from './embedded-log.ts';
import type { OpenedStorage } from './open-storage.ts';
import { OPERATION } from './operations.ts';

/**
 * Gives up on readers that hold more of the journal than the settings allow: their oldest messages go,
 * a whole segment at a time, so that one reader that stays away or stalls does not in the end keep
 * everybody from publishing. Without such settings nothing is given up.
 *
 * What goes is counted (`trimmed`), told in the log once for each reader, and told to one that is
 * connected: it is disconnected with 0x97.
 *
 * LIMIT: readerLagBytesMax, readerLagSecondsMax
 */
export class LagLimit {
  readonly #context: BrokerContext;
  readonly #storage: OpenedStorage;

  constructor(context: BrokerContext, storage: OpenedStorage) {
    this.#context = context;
    this.#storage = storage;
  }

  /** @throws JournalError as reading and trimming do */
  async enforce(): Promise<void> {
    const { readerLagBytesMax, readerLagSecondsMax } = this.#context.settings.storage;
    if (readerLagBytesMax === 0 && readerLagSecondsMax === 0) return;
    const { shard, checkpointer } = this.#storage;
    for (;;) {
      const summary = await shard.oldestSegment();
      if (summary === null || !(await this.#isTooMuch(summary))) return;
      // Replay needs it until the next checkpoint.
      if (summary.after > (checkpointer?.position ?? shard.next)) return;
      await this.#giveUpBefore(summary.after);
      await shard.trimBefore(summary.after);
      if (shard.oldest < summary.after) return;
    }
  }

  async #isTooMuch({ after }: SegmentSummary): Promise<boolean> {
    const { readerLagBytesMax, readerLagSecondsMax } = this.#context.settings.storage;
    const { shard } = this.#storage;
    if (readerLagBytesMax > 0 && shard.stats.bytes > readerLagBytesMax) return true;
    if (readerLagSecondsMax === 0) return false;
    const newest = await shard.readAt((after - 1) as Offset);
    return newest !== null && newest.appendedAtMs + readerLagSecondsMax * 1000 < Date.now();
  }

  async #giveUpBefore(after: number): Promise<void> {
    const { sessions } = this.#context;
    const groups = embeddedGroups(this.#context);
    for (const session of [...sessions.all()]) {
      const consumer = consumerOf(session);
      if (consumer === null) continue;
      const waiting = await consumer.countBefore(after);
      consumer.skipTo(after);
      const lost = waiting + this.#closeExchanges(session, after);
      this.#tell(session.clientId, lost);
      if (lost === 0) continue;
      const reason = 'messages waited longer than the broker keeps them';
      session.connection?.close(ReasonCode.quotaExceeded, reason);
    }
    for (const group of groups.all()) {
      const waiting = await group.consumer.countBefore(after);
      group.consumer.skipTo(after);
      this.#tell(`$share/${group.key}`, waiting + group.giveUpBefore(after));
    }
  }

  /** Exchanges whose message goes: a QoS 2 one that was received needs it no more. */
  #closeExchanges(session: ClientSession, after: number): number {
    if (!session.hasWindow) return 0;
    let lost = 0;
    for (const { id, state, offset } of session.window.open()) {
      if (offset < 0 || offset >= after) continue;
      if (state !== ExchangeState.awaitingPuback && state !== ExchangeState.awaitingPubrec)
        continue;
      session.logExchange(OPERATION.release, id);
      session.completeExchange(id);
      lost += 1;
    }
    return lost;
  }

  #tell(clientId: string, messages: number): void {
    if (messages === 0) return;
    const { counters, logger } = this.#context;
    counters.droppedTrimmed += messages;
    log(logger, logEvents.deliveryDropped, { clientId, reason: 'trimmed', messages });
  }
}
