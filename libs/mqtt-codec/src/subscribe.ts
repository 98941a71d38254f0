/** SUBSCRIBE (MQTT-5.0 §3.8). Filters are checked as strings here and as filters by the broker. */
import { assert } from '@robustmq/errors';
import type { ProtocolVersion, Qos, Subscribe, SubscriptionRequest } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { readProperties } from './property-reader.ts';

const SUBSCRIBE_HEADER = 0x82; // MQTT-5.0 [MQTT-3.8.1-1]

/** Bits of the subscription options (MQTT-5.0 §3.8.3.1). */
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RETAIN_HANDLING_SHIFT = 4;
const RESERVED = 0xc0;
/** All but the QoS (MQTT-3.1.1 §3.8.3). */
const RESERVED_BEFORE_5 = 0xfc;

/** Decodes SUBSCRIBE: at least one subscription, in the order of the packet. */
export function readSubscribe(reader: PacketReader): Subscribe {
  const packetIdentifier = reader.packetIdentifier();
  const properties = readProperties(reader, 'subscribe');
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.remaining > 0) subscriptions.push(readSubscription(reader));
  if (subscriptions.length === 0) {
    reader.protocolError('SUBSCRIBE without a topic filter', ['[MQTT-3.8.3-2]', '[MQTT-3.8.3-3]']);
  }
  return { kind: 'subscribe', packetIdentifier, subscriptions, properties };
}

function readSubscription(reader: PacketReader): SubscriptionRequest {
  const filter = reader.text('a topic filter');
  const options = reader.byte('the subscription options');
  if (reader.fault === null) checkOptions(reader, options, filter);
  return {
    filter,
    qos: (options & 3) as Qos,
    noLocal: (options & NO_LOCAL) !== 0,
    retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: ((options >> RETAIN_HANDLING_SHIFT) & 3) as 0 | 1 | 2,
  };
}

function checkOptions(reader: PacketReader, options: number, filter: string): void {
  const reserved = reader.version === 5 ? RESERVED : RESERVED_BEFORE_5;
  if ((options & reserved) !== 0) {
    const reason = `reserved bits of the subscription options ${options} are set`;
    reader.malformed(reason, ['[MQTT-3.8.3-5]', '[MQTT-3-8.3-4]']);
  } else if ((options & 3) === 3) {
    // A malformed packet in 3.1.1, a protocol error in 5.0; before 5.0 both close the connection.
    reader.protocolError('the maximum QoS of a subscription is 3', ['§3.8.3.1', '[MQTT-3-8.3-4]']);
  } else if (options >> RETAIN_HANDLING_SHIFT === 3) {
    reader.protocolError('the retain handling of a subscription is 3', ['§3.8.3.1', '']);
  } else if ((options & NO_LOCAL) !== 0 && filter.startsWith('$share/')) {
    const reason = `no local on the shared subscription ${filter}`;
    reader.protocolError(reason, ['[MQTT-3.8.3-4]', '']);
  }
}

/** Encodes SUBSCRIBE; before 5.0 of the options only the QoS. */
export function encodeSubscribe(packet: Subscribe, version: ProtocolVersion): Uint8Array {
  assert(packet.subscriptions.length > 0, 'SUBSCRIBE has a subscription (MQTT-5.0 [MQTT-3.8.3-2])');
  const writer = new PacketWriter(version);
  writer.packetIdentifier(packet.packetIdentifier);
  writer.properties(packet.properties, 'subscribe');
  for (const subscription of packet.subscriptions) {
    writer.text(subscription.filter);
    writer.byte(version === 5 ? optionsOf(subscription) : subscription.qos);
  }
  return writer.packet(SUBSCRIBE_HEADER);
}

function optionsOf(subscription: SubscriptionRequest): number {
  return (
    subscription.qos |
    (subscription.noLocal ? NO_LOCAL : 0) |
    (subscription.retainAsPublished ? RETAIN_AS_PUBLISHED : 0) |
    (subscription.retainHandling << RETAIN_HANDLING_SHIFT)
  );
}
