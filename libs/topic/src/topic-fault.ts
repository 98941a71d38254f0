import { type Branded, unreachable } from '@robustmq/errors';

/** A Topic Name: not empty, without wildcards and U+0000 (MQTT-5.0 §4.7.3). Made by `parseTopicName`. */
export type TopicName = Branded<string, 'TopicName'>;

/** A Topic Filter without a `$share/{name}/` prefix (MQTT-5.0 §4.7). Made by `parseTopicFilter`. */
export type TopicFilter = Branded<string, 'TopicFilter'>;

/** Bounds on one topic name or filter. */
export interface TopicLimits {
  /** UTF-8 bytes; the format itself ends at 65535 (MQTT-5.0 [MQTT-4.7.3-3]). */
  readonly topicBytesMax: number;
  /** Levels are separated by `/`: `a/b` has two, `/` has two, `a` has one. */
  readonly topicLevelsMax: number;
}

/** Why a text is no topic name or no topic filter. `level` counts from 0. */
export type TopicFault =
  /** MQTT-5.0 [MQTT-4.7.3-1]; also a shared subscription without a filter. */
  | { readonly code: 'TOPIC_EMPTY' }
  | { readonly code: 'TOPIC_TOO_LONG'; readonly bytesMax: number }
  | { readonly code: 'TOPIC_TOO_MANY_LEVELS'; readonly levelsMax: number }
  /** MQTT-5.0 [MQTT-4.7.1-1]. */
  | { readonly code: 'TOPIC_HASH_NOT_LAST'; readonly level: number }
  /** MQTT-5.0 [MQTT-4.7.1-1], [MQTT-4.7.1-2]. */
  | { readonly code: 'TOPIC_WILDCARD_NOT_WHOLE_LEVEL'; readonly level: number }
  /** A topic name with `+` or `#`: MQTT-5.0 [MQTT-3.3.2-2]. */
  | { readonly code: 'TOPIC_HAS_WILDCARD'; readonly level: number }
  /** MQTT-5.0 [MQTT-4.7.3-2]. */
  | { readonly code: 'TOPIC_HAS_NUL' }
  /** The share name is empty or has `+` or `#`: MQTT-5.0 [MQTT-4.8.2-1], [MQTT-4.8.2-2]. */
  | { readonly code: 'TOPIC_SHARE_NAME_INVALID' };

/** One sentence about a fault, without the text itself: that belongs to a client. */
export function describeTopicFault(fault: TopicFault): string {
  switch (fault.code) {
    case 'TOPIC_EMPTY':
      return 'the topic is empty';
    case 'TOPIC_TOO_LONG':
      return `the topic exceeds ${fault.bytesMax} bytes`;
    case 'TOPIC_TOO_MANY_LEVELS':
      return `the topic exceeds ${fault.levelsMax} levels`;
    case 'TOPIC_HASH_NOT_LAST':
      return `# stands at level ${fault.level}, which is not the last`;
    case 'TOPIC_WILDCARD_NOT_WHOLE_LEVEL':
      return `a wildcard at level ${fault.level} does not fill its level`;
    case 'TOPIC_HAS_WILDCARD':
      return `a topic name must not have a wildcard, as at level ${fault.level}`;
    case 'TOPIC_HAS_NUL':
      return 'the topic has the character U+0000';
    case 'TOPIC_SHARE_NAME_INVALID':
      return 'the share name is empty or has a wildcard';
    default:
      return unreachable(fault);
  }
}
