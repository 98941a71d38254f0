import { fail, type Result, succeed } from '@robustmq/errors';
import { fitsBytes, HASH, NUL, PLUS, SLASH } from './character.ts';
import type { TopicFault, TopicLimits, TopicName } from './topic-fault.ts';

/**
 * The only way to make a {@link TopicName} (MQTT-5.0 §3.3.2.1, §4.7.3).
 *
 * One pass, no allocation but the result.
 */
export function parseTopicName(text: string, limits: TopicLimits): Result<TopicName, TopicFault> {
  if (text.length === 0) return fail({ code: 'TOPIC_EMPTY' }); // MQTT-5.0 [MQTT-4.7.3-1]
  if (!fitsBytes(text, limits.topicBytesMax)) {
    return fail({ code: 'TOPIC_TOO_LONG', bytesMax: limits.topicBytesMax });
  }
  let level = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > SLASH) continue; // Everything special is below; most characters are not.
    if (unit === SLASH) {
      level += 1;
      if (level >= limits.topicLevelsMax) {
        return fail({ code: 'TOPIC_TOO_MANY_LEVELS', levelsMax: limits.topicLevelsMax });
      }
    } else if (unit === PLUS || unit === HASH) {
      return fail({ code: 'TOPIC_HAS_WILDCARD', level }); // MQTT-5.0 [MQTT-3.3.2-2]
    } else if (unit === NUL) {
      return fail({ code: 'TOPIC_HAS_NUL' }); // MQTT-5.0 [MQTT-4.7.3-2]
    }
  }
  return succeed(text as TopicName);
}
