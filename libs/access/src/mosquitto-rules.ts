import { fail, type Result, succeed } from '@robustmq/errors';
import type { LineFault, NumberedLine } from './access-fault.ts';
import { parseRuleFilter, type Rule, type RuleAction, type RuleSubject } from './rule.ts';

/**
 * Reads Mosquitto's `acl_file`:
 *
 *     topic [read|write|readwrite|deny] FILTER     before the first `user`: clients without user name
 *     user NAME                                    the `topic` lines that follow are this user's
 *     pattern [read|write|readwrite|deny] FILTER   everybody, with %u and %c
 *
 * Every denial comes before every grant, whatever the order of lines; what is not granted is denied.
 */
export function parseMosquittoRules(lines: readonly NumberedLine[]): Result<Rule[], LineFault> {
  const denials: Rule[] = [];
  const grants: Rule[] = [];
  let section: RuleSubject = { kind: 'anonymous' };
  for (const { line, text } of lines) {
    const [keyword, rest] = splitWord(text);
    if (keyword === 'user') {
      if (rest === '') return fail({ line, detail: 'expected a user name' });
      section = { kind: 'user', username: rest };
    } else if (keyword === 'topic' || keyword === 'pattern') {
      const subject: RuleSubject = keyword === 'topic' ? section : { kind: 'all' };
      const rule = parseGrant(rest, keyword, subject);
      if (typeof rule === 'string') return fail({ line, detail: rule });
      (rule.verdict === 'deny' ? denials : grants).push(rule);
    } else {
      return fail({ line, detail: 'expected "user", "topic" or "pattern"' });
    }
  }
  return succeed([...denials, ...grants]);
}

const ACTIONS: ReadonlyMap<string, RuleAction> = new Map([
  ['read', 'subscribe'],
  ['write', 'publish'],
  ['readwrite', 'all'],
  ['deny', 'all'],
]);

/** @returns what is wrong, as a sentence, when it is not a rule */
function parseGrant(
  text: string,
  keyword: 'topic' | 'pattern',
  subject: RuleSubject,
): Rule | string {
  const [first, rest] = splitWord(text);
  const isAccess = ACTIONS.has(first) && rest !== '';
  if (!isAccess && rest !== '') {
    return 'expected "read", "write", "readwrite" or "deny" before a filter with blanks';
  }
  const filterText = isAccess ? rest : text;
  const filter = parseRuleFilter(filterText, keyword === 'pattern' ? 'expand' : 'keep');
  if (filter === null) return `"${filterText}" is not a topic filter`;
  const verdict = isAccess && first === 'deny' ? 'deny' : 'allow';
  const action = isAccess ? (ACTIONS.get(first) ?? 'all') : 'all';
  return { verdict, action, subject, filter };
}

function splitWord(text: string): [word: string, rest: string] {
  const blank = text.search(/\s/);
  return blank === -1 ? [text, ''] : [text.slice(0, blank), text.slice(blank).trim()];
}
