import type { ClientIdentity } from '@robustmq/access';
import { keepMessage, Message } from '@robustmq/broker';
import {
  type Connect,
  createFrame,
  createPublishFields,
  decodePublish,
  encodePacket,
  type Properties,
  readFrame,
} from '@robustmq/mqtt-codec';
import { willDelayMs } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import { FieldReader, FieldWriter } from '../durable/operations.ts';
import { PublishOutcome, publishMessage } from '../publish-message.ts';
import type { ClientSession } from './client-session.ts';
import { WILL_NEVER_EXPIRES, type WillMessage, type WillOwner } from './will-message.ts';

interface PendingWill {
  readonly will: WillMessage;
  readonly session: ClientSession;
  readonly dueAtMs: number;
}

/**
 * Will messages (MQTT-5.0 §3.1.2.5, §3.1.3.2.2): published when a connection ends without a proper
 * DISCONNECT, after the will delay unless the client is back by then. They are in the journal from
 * CONNECT on, so that they are published even when it is the broker that dies.
 *
 * LIMIT: one per client identifier
 */
export class Wills {
  readonly #context: BrokerContext;
  readonly #pending = new Map<string, PendingWill>();
  /** Client identifiers whose will the journal knows. */
  readonly #logged = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #current = new Map<string, WillMessage>();

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  /** The client is connected with this will (MQTT-5.0 [MQTT-3.1.2-7]), or none. */
  set(session: ClientSession, will: WillMessage | null): void {
    session.will = will;
    if (will === null) {
      this.#forget(session.clientId);
      return;
    }
    this.#current.set(session.clientId, will);
    this.#logged.add(session.clientId);
    this.#dirty.add(session.clientId);
    this.#context.log.willChanged(session.clientId, will);
  }

  /** A proper DISCONNECT: the will is deleted (MQTT-5.0 [MQTT-3.14.4-3]). */
  cancel(session: ClientSession): void {
    session.will = null;
    this.#forget(session.clientId);
  }

  /** The connection is lost: its will is due, now or after its delay (MQTT-5.0 [MQTT-3.1.2-8]). */
  connectionLost(session: ClientSession): void {
    const { will } = session;
    if (will === null) return;
    session.will = null;
    // The cluster has it, and says who publishes it.
    if (session.ownerEpoch > 0) {
      this.#forget(session.clientId);
      return;
    }
    const delayMs = willDelayMs(will.delaySeconds, session.sessionExpirySeconds);
    if (delayMs === 0) {
      this.publish(session, will);
      return;
    }
    const dueAtMs = this.#context.nowMs() + delayMs;
    this.#pending.set(session.clientId, { will, session, dueAtMs });
  }

  /** The client is back in time: nothing is published (MQTT-5.0 [MQTT-3.1.3-9]). */
  clientReturned(clientId: string): void {
    if (this.#pending.delete(clientId)) this.#forget(clientId);
  }

  /** The session ends: a will that still waits is published now. */
  sessionEnded(session: ClientSession): void {
    const pending = this.#pending.get(session.clientId);
    if (pending === undefined || pending.session !== session) return;
    this.#pending.delete(session.clientId);
    this.publish(session, pending.will);
  }

  /** Once a second: what has waited long enough. */
  publishDue(nowMs: number): void {
    for (const [clientId, pending] of this.#pending) {
      if (pending.dueAtMs > nowMs) continue;
      this.#pending.delete(clientId);
      this.publish(pending.session, pending.will);
    }
  }

  /** A will that the journal held when the broker died: due as if the connection were lost now. */
  restore(session: ClientSession, will: WillMessage): void {
    this.#logged.add(session.clientId);
    // The record may lie before the next checkpoint's mark, where no replay finds it.
    this.#dirty.add(session.clientId);
    this.#current.set(session.clientId, will);
    session.will = will;
  }

  /** What is known of the client's will goes into the next checkpoint. */
  markDirty(clientId: string): void {
    this.#dirty.add(clientId);
  }

  publish(session: ClientSession, will: WillMessage): void {
    this.#forget(session.clientId);
    this.#publishFor(session.identity, will, session);
  }

  /** A will of a session that no broker serves: taken from where the cluster keeps it. */
  publishStored(clientId: string, will: WillMessage): PublishOutcome {
    return this.#publishFor({ clientId, username: null, remoteAddress: '' }, will, null);
  }

  #publishFor(
    client: ClientIdentity,
    will: WillMessage,
    session: ClientSession | null,
  ): PublishOutcome {
    const context = this.#context;
    const message = keepMessage(will.message);
    message.topic = context.router.topicOf(will.message.topic.name);
    message.publisher = session;
    message.publisherId = client.clientId;
    message.expiresAtMs = expiresAtMs(context, will);
    // Rules may have changed since CONNECT.
    const { access } = context;
    const { username, superuser } = will.owner;
    const identity = { ...client, username };
    if (!superuser && !access.unrestricted && !access.mayPublish(identity, message.topic.name)) {
      context.counters.droppedNotAuthorized += 1;
      return PublishOutcome.noSubscriber;
    }
    const outcome = publishMessage(context, message, session);
    if (outcome !== PublishOutcome.refused) context.counters.willsPublished += 1;
    return outcome;
  }

  /** For the checkpoint: what changed since the last one. */
  takeDirty(): (readonly [clientId: string, record: Uint8Array | null])[] {
    const changed = [...this.#dirty].map((clientId) => {
      const will = this.#current.get(clientId);
      return [clientId, will === undefined ? null : encodeWill(will)] as const;
    });
    this.#dirty.clear();
    return changed;
  }

  #forget(clientId: string): void {
    this.#current.delete(clientId);
    if (!this.#logged.delete(clientId)) return;
    this.#dirty.add(clientId);
    this.#context.log.willChanged(clientId, null);
  }
}

/** From now on, within the cap that holds for every message; 0: never. */
function expiresAtMs(context: BrokerContext, will: WillMessage): number {
  const cap = context.settings.protocol.messageExpirySecondsMax;
  const seconds = cap > 0 ? Math.min(will.expirySeconds, cap) : will.expirySeconds;
  return seconds === WILL_NEVER_EXPIRES ? 0 : context.nowMs() + seconds * 1000;
}

/** The will of a CONNECT as a message of the broker's. */
export function willOf(
  context: BrokerContext,
  connect: Connect,
  owner: WillOwner,
): WillMessage | null {
  const { will } = connect;
  if (will === null) return null;
  const { willDelayIntervalSeconds, messageExpiryIntervalSeconds, ...forwarded } = will.properties;
  const message = new Message(context.router.topicOf(will.topic));
  message.qos = will.qos;
  // MQTT-5.0 [MQTT-3.1.2-14], [MQTT-3.1.2-15].
  message.retain = will.retain;
  const headers = headersOf(forwarded);
  message.headerBytes = headers;
  message.headersEnd = headers.length;
  message.payloadBytes = will.payload;
  message.payloadEnd = will.payload.length;
  return {
    message,
    delaySeconds: willDelayIntervalSeconds ?? 0,
    expirySeconds: messageExpiryIntervalSeconds ?? WILL_NEVER_EXPIRES,
    owner: { username: owner.username, superuser: owner.superuser },
  };
}

/**
 * Properties in the broker's header encoding: those of a PUBLISH that has them, user properties in
 * their order (MQTT-5.0 [MQTT-3.1.3-10]).
 */
function headersOf(properties: Properties): Uint8Array {
  const bytes = encodePacket(
    {
      kind: 'publish',
      topic: '-',
      payload: new Uint8Array(0),
      qos: 0,
      retain: false,
      dup: false,
      packetIdentifier: 0,
      properties,
    },
    5,
  );
  const frame = createFrame();
  const fields = createPublishFields();
  readFrame(bytes, 0, bytes.length, frame);
  decodePublish(bytes, frame, 5, fields);
  return bytes.slice(fields.propertiesStart, fields.propertiesEnd);
}

/**
 * text topic | u8 QoS and retain | u32 delay s | u32 expiry s | blob headers | blob payload
 * | u8 1: has user, 2: superuser | text user
 */
export function encodeWill(will: WillMessage): Uint8Array {
  const { message } = will;
  return new FieldWriter()
    .text(message.topic.name)
    .u8(message.qos | (message.retain ? 4 : 0))
    .u32(will.delaySeconds)
    .u32(will.expirySeconds)
    .blob(message.headerBytes.subarray(message.headersStart, message.headersEnd))
    .blob(message.payloadBytes.subarray(message.payloadStart, message.payloadEnd))
    .u8((will.owner.username === null ? 0 : 1) | (will.owner.superuser ? 2 : 0))
    .text(will.owner.username ?? '')
    .finish();
}

export function decodeWill(context: BrokerContext, bytes: Uint8Array): WillMessage {
  const reader = new FieldReader(bytes);
  const message = new Message(context.router.topicOf(reader.text()));
  const flags = reader.u8();
  message.qos = flags & 3;
  message.retain = (flags & 4) !== 0;
  const delaySeconds = reader.u32();
  const expirySeconds = reader.u32();
  message.headerBytes = reader.blob();
  message.headersEnd = message.headerBytes.length;
  message.payloadBytes = reader.blob();
  message.payloadEnd = message.payloadBytes.length;
  return { message, delaySeconds, expirySeconds, owner: ownerFrom(reader) };
}

function ownerFrom(reader: FieldReader): WillOwner {
  // Written before the owner was.
  if (reader.done) return { username: null, superuser: false };
  const flags = reader.u8();
  const username = reader.text();
  return { username: (flags & 1) !== 0 ? username : null, superuser: (flags & 2) !== 0 };
}
