import {
  booleanKey,
  bytesKey,
  choiceKey,
  integerKey,
  textKey,
  textListKey,
} from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[mqtt]`: what the broker offers its clients (MQTT-5.0 §3.2.2.3). */
export interface ProtocolSection {
  readonly minimum_version: '3.1' | '3.1.1' | '5.0';
  readonly maximum_qos: number;
  readonly retain_available: boolean;
  readonly wildcard_subscription_available: boolean;
  readonly subscription_identifiers_available: boolean;
  readonly shared_subscription_available: boolean;
  readonly maximum_packet_size_bytes: number;
  readonly receive_maximum: number;
  readonly topic_alias_maximum: number;
  readonly topic_alias_maximum_outbound: number;
  readonly server_keep_alive_seconds: number;
  readonly keep_alive_seconds_max: number;
  readonly session_expiry_seconds_max: number;
  readonly message_expiry_seconds_max: number;
  readonly response_information: string;
  readonly refused_subscriptions: readonly string[];
}

/** A session expiry interval that never ends (MQTT-5.0 §3.1.2.11.2). */
export const SESSION_NEVER_EXPIRES = 0xffffffff;

export const protocolSection: SectionDeclaration<ProtocolSection> = {
  kind: 'section',
  name: 'mqtt',
  meaning: 'What the broker offers its clients.',
  keys: {
    minimum_version: choiceKey({
      default: '3.1',
      choices: ['3.1', '3.1.1', '5.0'],
      spellings: { '5': '5.0' },
      meaning: 'The oldest protocol version that may connect.',
      reason: 'Old devices stay in the field for decades.',
    }),
    maximum_qos: integerKey({
      default: 2,
      minimum: 0,
      maximum: 2,
      meaning: 'The highest QoS that publishers may use.',
      reason: 'A lower one takes guarantees from the clients that ask for them.',
    }),
    retain_available: feature('Whether messages may be retained.'),
    wildcard_subscription_available: feature('Whether topic filters may hold + and #.'),
    subscription_identifiers_available: feature('Whether subscriptions may carry an identifier.'),
    shared_subscription_available: feature('Whether $share/{group}/{filter} is understood.'),
    maximum_packet_size_bytes: bytesKey({
      default: 2 ** 20,
      minimum: 1024,
      maximum: 268_435_455,
      meaning: 'The largest packet that is taken; a larger one closes the connection.',
      reason: 'One packet is held in memory as a whole, by every client that sends one.',
      aliases: ['mqtt_runtime.protocol.max_packet_size'],
    }),
    receive_maximum: integerKey({
      default: 1024,
      minimum: 1,
      maximum: 65535,
      meaning: 'How many QoS 1 and 2 messages a client may have under way to the broker at once.',
      reason: 'Enough to fill one flush to disk; more only adds memory.',
    }),
    topic_alias_maximum: integerKey({
      default: 256,
      minimum: 0,
      maximum: 65535,
      meaning: 'How many topic aliases one client may define.',
      reason: 'Each may hold a topic name of 64 KiB for as long as the client is connected.',
    }),
    topic_alias_maximum_outbound: integerKey({
      default: 16,
      minimum: 0,
      maximum: 65535,
      meaning: 'How many aliases the broker uses towards a client that allows them.',
      reason: 'Only clients that ask for aliases pay for them. 0: none are used.',
    }),
    server_keep_alive_seconds: integerKey({
      default: 0,
      minimum: 0,
      maximum: 65535,
      meaning:
        'The keep alive that 5.0 clients are told to use when theirs is longer, or none. 0: their own holds.',
      reason: 'Clients know their links best; a shorter one always holds.',
      unit: 'seconds',
    }),
    keep_alive_seconds_max: integerKey({
      default: 0,
      minimum: 0,
      maximum: 65535,
      meaning:
        'The longest silence that is tolerated, also of clients without keep alive. 0: no cap.',
      reason: 'Clients without keep alive are rare but legal. Dead peers then stay until TCP ends.',
      unit: 'seconds',
    }),
    session_expiry_seconds_max: integerKey({
      default: SESSION_NEVER_EXPIRES,
      minimum: 0,
      maximum: SESSION_NEVER_EXPIRES,
      meaning: `The longest time a session outlives its connection. ${String(SESSION_NEVER_EXPIRES)}: for ever.`,
      reason: 'A client that asked for a session is promised it. sessions_max bounds the number.',
      unit: 'seconds',
    }),
    message_expiry_seconds_max: integerKey({
      default: 0,
      minimum: 0,
      maximum: SESSION_NEVER_EXPIRES,
      meaning: 'The longest time a message waits for a subscriber. 0: no limit of the broker.',
      reason: 'Acknowledged messages are not dropped because of time unless somebody says so.',
      unit: 'seconds',
    }),
    response_information: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'Sent to clients that ask where to expect responses. Empty: none.',
      reason: 'It means something only to applications that agreed on it.',
    }),
    refused_subscriptions: textListKey({
      default: [],
      meaning: 'Topic filters that nobody may subscribe to.',
      reason: 'Who may do what is otherwise said by the access rules ([auth] rules_file).',
    }),
  },
};

function feature(meaning: string): SectionDeclaration<ProtocolSection>['keys']['retain_available'] {
  return booleanKey({
    default: true,
    meaning,
    reason: 'Clients expect it; without it they are told so when they connect.',
  });
}
