import { fail, type Result, succeed } from '@robustmq/errors';
import { HASH, PLUS, SLASH } from './character.ts';
import type { TopicFault, TopicFilter, TopicLimits } from './topic-fault.ts';
import { parseTopicFilter } from './topic-filter.ts';

/** What a SUBSCRIBE asks for: a filter, alone or as a member of a share. */
export interface SubscriptionFilter {
  /** null: not shared. */
  readonly shareName: string | null;
  readonly filter: TopicFilter;
}

/** The share of everybody who subscribes to `$queue/{filter}`; `$share/$queue/{filter}` is the same one. */
export const QUEUE_SHARE_NAME = '$queue';

const SHARE_PREFIX = '$share/';
const QUEUE_PREFIX = '$queue/';

/**
 * Reads the filter of a SUBSCRIBE or UNSUBSCRIBE: `{filter}`, `$share/{name}/{filter}`
 * (MQTT-5.0 §4.8.2) or `$queue/{filter}`, the older form with one share per filter.
 *
 * `limits` apply to the filter proper, without the prefix. The texts `$share` and `$queue` alone
 * are ordinary filters.
 */
export function parseSubscriptionFilter(
  text: string,
  limits: TopicLimits,
): Result<SubscriptionFilter, TopicFault> {
  if (text.startsWith(SHARE_PREFIX)) return parseShared(text, limits);
  if (text.startsWith(QUEUE_PREFIX)) {
    return withShareName(QUEUE_SHARE_NAME, text.slice(QUEUE_PREFIX.length), limits);
  }
  return withShareName(null, text, limits);
}

function parseShared(text: string, limits: TopicLimits): Result<SubscriptionFilter, TopicFault> {
  const nameStart = SHARE_PREFIX.length;
  let nameEnd = nameStart;
  for (; nameEnd < text.length; nameEnd += 1) {
    const unit = text.charCodeAt(nameEnd);
    if (unit === SLASH) break;
    // MQTT-5.0 [MQTT-4.8.2-2]: no wildcard in the share name. U+0000 is refused by the string decoder.
    if (unit === PLUS || unit === HASH) return fail({ code: 'TOPIC_SHARE_NAME_INVALID' });
  }
  // MQTT-5.0 [MQTT-4.8.2-1]: at least one character.
  if (nameEnd === nameStart) return fail({ code: 'TOPIC_SHARE_NAME_INVALID' });
  // MQTT-5.0 [MQTT-4.8.2-2]: followed by `/` and a filter; parsing refuses the empty one.
  return withShareName(text.slice(nameStart, nameEnd), text.slice(nameEnd + 1), limits);
}

function withShareName(
  shareName: string | null,
  filterText: string,
  limits: TopicLimits,
): Result<SubscriptionFilter, TopicFault> {
  const filter = parseTopicFilter(filterText, limits);
  return filter.ok ? succeed({ shareName, filter: filter.value }) : filter;
}
