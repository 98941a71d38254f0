import { bytesKey, bytesOrAutoKey, integerKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[limits]`: every bound that keeps memory flat. */
export interface LimitsSection {
  readonly connect_timeout_ms: number;
  readonly topic_levels_max: number;
  readonly topic_bytes_max: number;
  readonly client_id_bytes_max: number;
  readonly filters_per_subscribe_max: number;
  readonly subscriptions_per_client_max: number;
  readonly user_properties_per_packet_max: number;
  readonly sessions_max: number;
  readonly inflight_messages_max: number;
  readonly inflight_bytes_max: number;
  readonly queued_messages_max: number;
  readonly queued_bytes_max: number;
  readonly output_bytes_max: number;
  readonly memory_bytes_max: number | 'auto';
  readonly retained_messages_max: number;
  readonly retained_bytes_max: number;
  readonly connections_per_second_per_address_max: number;
  readonly connects_deciding_max: number;
  readonly connects_waiting_max: number;
  readonly publishes_per_second_per_client_max: number;
  readonly publish_bytes_per_second_per_client_max: number;
}

const COUNT_MAX = 1_000_000_000;
const BYTES_MAX = 2 ** 50;

export const limitsSection: SectionDeclaration<LimitsSection> = {
  kind: 'section',
  name: 'limits',
  meaning: 'Bounds. What happens at each: docs/reference/limits.md.',
  keys: {
    connect_timeout_ms: integerKey({
      default: 10_000,
      minimum: 100,
      maximum: 300_000,
      meaning: 'A connection whose CONNECT has not arrived by then is closed.',
      reason: 'Sockets that say nothing cost memory.',
      unit: 'milliseconds',
    }),
    topic_levels_max: countKey(
      128,
      1,
      'Levels of a topic name or filter.',
      'Matching costs time by level; real topics have fewer than 20.',
    ),
    topic_bytes_max: integerKey({
      default: 65535,
      minimum: 1,
      maximum: 65535,
      meaning: 'Bytes of a topic name or filter.',
      reason: 'The limit of the protocol.',
      unit: 'bytes',
    }),
    client_id_bytes_max: integerKey({
      default: 1024,
      minimum: 23,
      maximum: 65535,
      meaning: 'Bytes of a client identifier.',
      reason: 'Every server must take 23; identifiers in use stay far below a kilobyte.',
      unit: 'bytes',
    }),
    filters_per_subscribe_max: countKey(
      1000,
      1,
      'Topic filters in one SUBSCRIBE.',
      'One packet must not hold up the others.',
    ),
    subscriptions_per_client_max: countKey(
      100_000,
      1,
      'Subscriptions of one session.',
      'Bridges hold thousands; a loop that subscribes for ever is stopped.',
    ),
    user_properties_per_packet_max: countKey(
      128,
      0,
      'User properties of one packet.',
      'Each costs memory in every copy.',
    ),
    sessions_max: countKey(
      1_000_000,
      1,
      'Sessions, connected or not.',
      'An idle session costs about a kilobyte.',
    ),
    inflight_messages_max: integerKey({
      default: 8192,
      minimum: 1,
      maximum: 65535,
      meaning: 'Unacknowledged QoS 1 and 2 messages under way to one client.',
      reason: 'Also for clients before 5.0, which cannot say a Receive Maximum.',
    }),
    inflight_bytes_max: sizeKey(
      4 * 2 ** 20,
      'Bytes of unacknowledged messages under way to one client.',
      'A slow client must not hold much.',
    ),
    queued_messages_max: countKey(
      100_000,
      1,
      'Messages that wait in memory for one connected client.',
      'Above it QoS 0 is dropped and counted; durable messages wait in the journal.',
    ),
    queued_bytes_max: sizeKey(
      8 * 2 ** 20,
      'Bytes that wait in memory for one connected client.',
      'As above, whichever is reached first.',
    ),
    output_bytes_max: sizeKey(
      4 * 2 ** 20,
      'Encoded bytes that wait for one socket.',
      'Enough for fast links; a stalled client stays cheap.',
    ),
    memory_bytes_max: bytesOrAutoKey({
      default: 'auto',
      minimum: 16 * 2 ** 20,
      maximum: BYTES_MAX,
      meaning:
        'The sum of everything that waits, over all clients; above it publishers are paused.',
      reason: '"auto": 512 MiB, or a quarter of the memory of the machine where that is less.',
    }),
    retained_messages_max: countKey(1_000_000, 0, 'Retained messages.', 'They are held in memory.'),
    retained_bytes_max: sizeKey(2 ** 30, 'Bytes of retained messages.', 'They are held in memory.'),
    connections_per_second_per_address_max: rateKey('New connections a second from one address.'),
    connects_deciding_max: countKey(
      256,
      1,
      'Clients of a cluster, of those whose session is kept, that are let in at the same time.',
      'Each asks the placement center; connected clients must not wait for them.',
    ),
    connects_waiting_max: countKey(
      8192,
      0,
      'How many more wait for it, in their order.',
      'Who waits longer than connect_timeout_ms is closed; better to be told to come again.',
    ),
    publishes_per_second_per_client_max: rateKey('Messages that one client may publish a second.'),
    publish_bytes_per_second_per_client_max: rateKey(
      'Payload bytes that one client may publish a second.',
    ),
  },
};

type CountKey = SectionDeclaration<LimitsSection>['keys']['sessions_max'];

function countKey(value: number, minimum: number, meaning: string, reason: string): CountKey {
  return integerKey({ default: value, minimum, maximum: COUNT_MAX, meaning, reason });
}

function sizeKey(value: number, meaning: string, reason: string): CountKey {
  return bytesKey({ default: value, minimum: 1024, maximum: BYTES_MAX, meaning, reason });
}

function rateKey(meaning: string): CountKey {
  return integerKey({
    default: 0,
    minimum: 0,
    maximum: COUNT_MAX,
    meaning: `${meaning} 0: unlimited.`,
    reason: 'Back-pressure keeps the broker safe; a fair share is for the operator to define.',
    unit: 'per second',
  });
}
