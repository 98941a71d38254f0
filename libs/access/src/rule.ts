import { parseTopicFilter } from '@robustmq/topic';
import type { ClientIdentity } from './contract.ts';

/** Whom a rule is about. */
export type RuleSubject =
  | { readonly kind: 'all' }
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly username: string }
  | { readonly kind: 'client'; readonly clientId: string };

/** `subscribe` also covers receiving messages. */
export type RuleAction = 'publish' | 'subscribe' | 'all';

/** One line of a rules file. */
export interface Rule {
  readonly verdict: 'allow' | 'deny';
  readonly action: RuleAction;
  readonly subject: RuleSubject;
  readonly filter: RuleFilter;
}

/** A topic filter, or one with places for the user name and the client identifier. */
export type RuleFilter =
  | { readonly kind: 'plain'; readonly filter: string }
  | { readonly kind: 'template'; readonly parts: readonly TemplatePart[] };

export type TemplatePart = '%u' | '%c' | { readonly text: string };

/** The format's own bounds (MQTT-5.0 [MQTT-4.7.3-3]): the operator's filters need no tighter ones. */
const FILTER_LIMITS = { topicBytesMax: 65_535, topicLevelsMax: 65_535 };

/** @returns null when the text is no topic filter */
export function parseRuleFilter(text: string, placeholders: 'expand' | 'keep'): RuleFilter | null {
  const isTemplate = placeholders === 'expand' && /%[uc]/.test(text);
  const sample = isTemplate ? text.replaceAll(/%[uc]/g, 'x') : text;
  if (!parseTopicFilter(sample, FILTER_LIMITS).ok) return null;
  if (!isTemplate) return { kind: 'plain', filter: text };
  const pieces = text.split(/(%[uc])/).filter((piece) => piece !== '');
  const parts = pieces.map(
    (piece): TemplatePart => (piece === '%u' || piece === '%c' ? piece : { text: piece }),
  );
  return { kind: 'template', parts };
}

/** The filter as it stands for one client; null when the rule cannot be about that client. */
export function filterFor(filter: RuleFilter, client: ClientIdentity): string | null {
  if (filter.kind === 'plain') return filter.filter;
  let text = '';
  for (const part of filter.parts) {
    if (part === '%u' || part === '%c') {
      const value = part === '%u' ? client.username : client.clientId;
      if (value === null || !fitsIntoFilter(value, text === '' ? 'first' : 'later')) return null;
      text += value;
    } else {
      text += part.text;
    }
  }
  return text;
}

/**
 * A client chooses its name, so a name must not change what a filter means: one with a wildcard
 * would match others' topics (CVE-2017-7650), one with `/` would add levels, and one with `$` in
 * front would reach the server's own topics.
 */
function fitsIntoFilter(value: string, place: 'first' | 'later'): boolean {
  if (value === '' || (place === 'first' && value.startsWith('$'))) return false;
  return !(value.includes('+') || value.includes('#') || value.includes('/'));
}
