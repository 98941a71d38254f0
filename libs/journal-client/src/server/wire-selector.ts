import type { RecordSelector } from '@robustmq/journal';
import type { WireSelector } from '@robustmq/rpc';
import { filterMatchesTopic, parseTopicFilter, type TopicFilter } from '@robustmq/topic';

/** LIMIT: selectorTermsMax (topics and filters of one selector) */
const selectorTermsMax = 100_000;
/** What the format allows (MQTT-5.0 [MQTT-4.7.3-3]). */
const LIMITS = { topicBytesMax: 65_535, topicLevelsMax: 65_535 };

/** What a client wants, as the journal takes it. @returns the selector, or what is wrong with it */
export function selectorOf(wire: WireSelector): RecordSelector | string {
  if (wire.kind !== 'some') return wire;
  const { topics, filters } = wire;
  if (topics.length + filters.length > selectorTermsMax) {
    return `a selector has more than ${selectorTermsMax} topics and filters`;
  }
  const parsed: TopicFilter[] = [];
  for (const text of filters) {
    const filter = parseTopicFilter(text, LIMITS);
    if (!filter.ok) return `"${text}" is no topic filter`;
    parsed.push(filter.value);
  }
  const matches =
    parsed.length === 0
      ? null
      : (topic: string): boolean => parsed.some((filter) => filterMatchesTopic(filter, topic));
  return { kind: 'topics', exact: topics, matches };
}
