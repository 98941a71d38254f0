import { fail, type Result, succeed } from '@robustmq/errors';
import { fitsBytes, HASH, NUL, PLUS, SLASH } from './character.ts';
import type { TopicFault, TopicFilter, TopicLimits } from './topic-fault.ts';

/**
 * The only way to make a {@link TopicFilter}: past this line it is known to be valid (MQTT-5.0 §4.7).
 *
 * A `$share/` prefix is not special here; `parseSubscriptionFilter` takes it off. One pass, no
 * allocation but the result.
 */
export function parseTopicFilter(
  text: string,
  limits: TopicLimits,
): Result<TopicFilter, TopicFault> {
  if (text.length === 0) return fail({ code: 'TOPIC_EMPTY' }); // MQTT-5.0 [MQTT-4.7.3-1]
  if (!fitsBytes(text, limits.topicBytesMax)) {
    return fail({ code: 'TOPIC_TOO_LONG', bytesMax: limits.topicBytesMax });
  }
  let level = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === SLASH) {
      level += 1;
      if (level >= limits.topicLevelsMax) {
        return fail({ code: 'TOPIC_TOO_MANY_LEVELS', levelsMax: limits.topicLevelsMax });
      }
    } else if (unit === NUL) {
      return fail({ code: 'TOPIC_HAS_NUL' }); // MQTT-5.0 [MQTT-4.7.3-2]
    } else if (unit === PLUS || unit === HASH) {
      if (!fillsLevel(text, index)) return fail({ code: 'TOPIC_WILDCARD_NOT_WHOLE_LEVEL', level });
      if (unit === HASH && index !== text.length - 1) {
        return fail({ code: 'TOPIC_HASH_NOT_LAST', level }); // MQTT-5.0 [MQTT-4.7.1-1]
      }
    }
  }
  return succeed(text as TopicFilter);
}

/** A wildcard occupies an entire level (MQTT-5.0 [MQTT-4.7.1-1], [MQTT-4.7.1-2]). */
function fillsLevel(text: string, index: number): boolean {
  return (
    (index === 0 || text.charCodeAt(index - 1) === SLASH) &&
    (index === text.length - 1 || text.charCodeAt(index + 1) === SLASH)
  );
}

/** Whether a valid filter matches more than the topic name it spells. */
export function hasWildcard(filter: string): boolean {
  // In a valid filter `#` can only be the last character, so only `+` needs a search.
  return filter.charCodeAt(filter.length - 1) === HASH || filter.includes('+');
}
