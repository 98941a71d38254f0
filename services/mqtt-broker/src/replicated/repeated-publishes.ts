import type { Topic } from '@robustmq/broker';
import { FrameStatus, ReasonCode, readFrame } from '@robustmq/mqtt-codec';
import { assert } from '@robustmq/errors';
import { InboundReceipts } from '@robustmq/mqtt-session';
import { log, logEvents } from '@robustmq/telemetry';
import { JournalError, type Offset } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import { receivePublish } from '../connection/receive-publish.ts';
import type { RepeatedPublishLookUp } from '../durable/broker-log.ts';
import { originOf } from '../durable/message-record.ts';
import { RECORD_KIND } from '../durable/operations.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { MessageShards } from './message-shards.ts';
import type { EarlierTenure } from './session-state.ts';

const READ_RECORDS_MAX = 256;
const READ_BYTES_MAX = 256 * 1024;
const LOOK_UP_DEADLINE_MS = 15_000;
const RETRY_MS = 100;
/** LIMIT: earlierTenuresMax */
export const EARLIER_TENURES_MAX = 4;
/** A client repeats as soon as it is connected: what it has not repeated by then it never will. */
const LIFETIME_MS = 10 * 60_000;
/** A client that has begun so many new exchanges has repeated what it had open long ago. LIMIT: repeatedPublishesTouchedMax */
const TOUCHED_MAX = 4096;

interface Tenure {
  readonly tenure: number;
  readonly from: readonly number[];
  readonly touched: InboundReceipts;
}

/**
 * Which QoS 2 messages the owners before took of this client, when one of them died.
 *
 * A receipt and its message are in two shards, so after a crash there may be one without the other. The
 * client repeats what was not acknowledged, and only then the topic's shard is asked: a message under
 * this identifier, of a tenure before ours, behind the watermark of that tenure's last record, was taken
 * (MQTT-5.0 [MQTT-4.3.3-10]); without one the repeated message is new. The connection's other packets wait
 * meanwhile, so that order stays.
 */
export class RepeatedPublishes implements RepeatedPublishLookUp {
  readonly #context: BrokerContext;
  readonly #session: ClientSession;
  readonly #shards: MessageShards;
  readonly #clientId: Uint8Array;
  readonly #tenures: Tenure[];
  /** Receipts whose message is perhaps not there. */
  readonly #pending: Set<number>;
  /** Identifiers that this owner knows all about. */
  readonly #settled = new InboundReceipts();
  /** The client has connected about then: sessions are restored for a connection. */
  readonly #beganMs: number;

  constructor(
    context: BrokerContext,
    session: ClientSession,
    known: {
      readonly shards: MessageShards;
      readonly earlier: readonly EarlierTenure[];
      readonly pending: Iterable<number>;
    },
  ) {
    this.#context = context;
    this.#beganMs = context.clock.monotonicMs();
    this.#session = session;
    this.#shards = known.shards;
    this.#clientId = new TextEncoder().encode(session.clientId);
    this.#pending = new Set(known.pending);
    this.#tenures = known.earlier.map(({ tenure, from, touched }) => {
      const receipts = new InboundReceipts();
      for (const id of touched) receipts.add(id);
      return { tenure, from, touched: receipts };
    });
  }

  /** For the session's record. */
  get earlier(): EarlierTenure[] {
    return this.#tenures.map(({ tenure, from, touched }) => ({
      tenure,
      from,
      touched: touched.identifiers(),
    }));
  }

  get #ageMs(): number {
    return this.#context.clock.monotonicMs() - this.#beganMs;
  }

  /** Nothing is to be looked up any more, and nothing is to be kept for it. */
  get isOver(): boolean {
    return this.#settled.count > TOUCHED_MAX || this.#ageMs > LIFETIME_MS;
  }

  /** What was not asked for is not there: else a receipt would swallow the next message of its number. */
  end(): void {
    for (const identifier of this.#pending) this.#session.receipts.release(identifier);
    this.#session.repeats = null;
  }

  isPending(identifier: number): boolean {
    return this.#pending.has(identifier);
  }

  /** What is known of the identifier from now on comes from this owner. */
  settle(identifier: number): void {
    this.#pending.delete(identifier);
    this.#settled.add(identifier);
    for (const { touched } of this.#tenures) touched.add(identifier);
  }

  holds(connection: ClientConnection, buffer: Buffer, topic: Topic): boolean {
    const { frame, publishFields } = connection.context;
    const { packetIdentifier, dup } = publishFields;
    if (this.#settled.has(packetIdentifier)) return false;
    const isPending = this.#pending.has(packetIdentifier);
    if (!isPending && (!dup || this.#session.receipts.has(packetIdentifier))) return false;
    const packet = Buffer.from(buffer.subarray(frame.start, frame.bodyEnd));
    connection.suspend();
    this.#decide(connection, packetIdentifier, topic)
      .then((known) => {
        if (known) goOn(connection, packet);
      })
      .catch((error: unknown) => {
        const err = error instanceof Error ? error : new Error(String(error));
        log(connection.context.logger, logEvents.taskFailed, { task: 'look-up of a PUBLISH', err });
        connection.close(ReasonCode.serverBusy, 'what was taken before is not known yet');
      });
    return true;
  }

  /** @returns false when the connection is gone */
  async #decide(connection: ClientConnection, identifier: number, topic: Topic): Promise<boolean> {
    const { clock, timers } = this.#context;
    const endMs = clock.monotonicMs() + LOOK_UP_DEADLINE_MS;
    for (;;) {
      try {
        const found = await this.#isInShard(identifier, topic);
        if (this.#session.connection !== connection) return false;
        if (found) this.#session.receipts.add(identifier);
        else this.#session.receipts.release(identifier);
        this.settle(identifier);
        return true;
      } catch (error) {
        if (!isTransient(error) || clock.monotonicMs() > endMs) throw error;
        await waitMs(timers, RETRY_MS);
        if (this.#session.connection !== connection) return false;
      }
    }
  }

  async #isInShard(identifier: number, topic: Topic): Promise<boolean> {
    const number = this.#shards.shardOf(topic.hash);
    const shard = this.#shards.at(number);
    const end = await shard.committed(LOOK_UP_DEADLINE_MS);
    let at = Math.max(
      shard.oldest,
      Math.min(...this.#tenures.map(({ from }) => from[number] ?? 0)),
    );
    while (at < end) {
      const selector = { kind: 'topics', exact: [topic.name], matches: null } as const;
      const reader = shard.openReader(at as Offset, selector);
      const records = await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX);
      for (const { kind, body, offset } of records) {
        if (kind === RECORD_KIND.message && this.#isOurs(body, { identifier, number, offset })) {
          return true;
        }
      }
      at = records.length === 0 ? end : reader.position;
    }
    return false;
  }

  #isOurs(
    body: Uint8Array,
    where: { readonly identifier: number; readonly number: number; readonly offset: number },
  ): boolean {
    const origin = originOf(body);
    if (origin === null || origin.packetIdentifier !== where.identifier) return false;
    if (Buffer.compare(origin.clientId, this.#clientId) !== 0) return false;
    const own = this.#tenures.findLast(({ tenure }) => tenure <= origin.tenure);
    if (own === undefined || own.touched.has(where.identifier)) return false;
    return where.offset >= (own.from[where.number] ?? 0);
  }
}

/** The packet is taken as if it came now, then what came behind it. */
function goOn(connection: ClientConnection, packet: Buffer): void {
  if (connection.phase === 'closed') return;
  const status = readFrame(packet, 0, packet.length, connection.context.frame);
  assert(status === FrameStatus.complete, 'a packet that was whole');
  receivePublish(connection, packet);
  if (connection.phase === 'suspended') connection.resumeAs('connected');
}

function isTransient(error: unknown): boolean {
  return error instanceof JournalError && error.fault.code !== 'JOURNAL_CLOSED';
}
