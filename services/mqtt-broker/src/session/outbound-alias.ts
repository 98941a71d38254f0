import type { Topic } from '@robustmq/broker';
import type { OutboundAliases } from '@robustmq/mqtt-session';

/** The alias with which a PUBLISH on `topic` goes, 0: none, and whether the name goes with it. */
export function aliasFor(
  aliases: OutboundAliases<Topic> | null,
  topic: Topic,
): { readonly topicAlias: number; readonly withTopic: boolean } {
  if (aliases === null) return { topicAlias: 0, withTopic: true };
  const known = aliases.known(topic);
  if (known > 0) return { topicAlias: known, withTopic: false };
  return { topicAlias: aliases.next, withTopic: true };
}
