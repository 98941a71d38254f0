import { ReasonCode } from './reason-code.ts';
import type { PacketReader } from './packet-reader.ts';

/**
 * Rejects a topic name that is empty (MQTT-5.0 [MQTT-4.7.3-1]) or contains a wildcard (MQTT-5.0
 * [MQTT-3.3.2-2]) with 0x90, topic name invalid.
 */
export function checkTopicName(reader: PacketReader, name: string, what: string): void {
  if (reader.fault !== null) return;
  if (name.length === 0) {
    reader.reject(ReasonCode.topicNameInvalid, `${what} is empty`, [
      '[MQTT-4.7.3-1]',
      '[MQTT-4.7.3-1]',
    ]);
  } else if (hasWildcard(name)) {
    reader.reject(ReasonCode.topicNameInvalid, `${what} contains a wildcard: ${name}`, [
      '[MQTT-3.3.2-2]',
      '[MQTT-3.3.2-2]',
    ]);
  }
}

/** Whether the text contains `+` or `#`, which no topic name does (MQTT-5.0 [MQTT-4.7.1-1]). */
export function hasWildcard(text: string): boolean {
  return text.includes('#') || text.includes('+');
}
