import { fail, type Result, succeed } from '@robustmq/errors';
import { type LineFault, meaningfulLines, type NumberedLine } from './access-fault.ts';
import { parseMosquittoRules } from './mosquitto-rules.ts';
import { parseRuleFilter, type Rule, type RuleAction, type RuleSubject } from './rule.ts';

export type RulesFormat = 'robust' | 'mosquitto';

export interface ParsedRules {
  readonly format: RulesFormat;
  /** In the order in which they are tried; the first that matches decides. */
  readonly rules: readonly Rule[];
  /** What holds when none does. */
  readonly otherwise: 'ignore' | 'deny';
}

/** Reads a rules file in either format; the first directive tells which one it is. */
export function parseRulesFile(text: string): Result<ParsedRules, LineFault> {
  const lines = meaningfulLines(text);
  const first = lines[0]?.text.split(/\s/, 1)[0];
  if (first === 'user' || first === 'topic' || first === 'pattern') {
    const rules = parseMosquittoRules(lines);
    // Mosquitto refuses whatever a file does not grant.
    return rules.ok
      ? succeed({ format: 'mosquitto', rules: rules.value, otherwise: 'deny' })
      : rules;
  }
  const rules: Rule[] = [];
  for (const line of lines) {
    const rule = parseRule(line);
    if (!rule.ok) return rule;
    rules.push(rule.value);
  }
  return succeed({ format: 'robust', rules, otherwise: 'ignore' });
}

/**
 * One line of our own format; words are separated by blanks:
 *
 *     ("allow" | "deny") ("publish" | "subscribe" | "all") [subject] FILTER
 *     subject: "user" NAME | "client" ID | "anonymous" | "all"
 *
 * The number of words tells whether there is a subject. Words in double quotes may have blanks, and
 * `\"` and `\\`.
 */
function parseRule({ line, text }: NumberedLine): Result<Rule, LineFault> {
  const words = wordsOf(text);
  if (words === null) return fail({ line, detail: 'a quoted word does not end' });
  const [verdict, action, ...rest] = words;
  if (verdict !== 'allow' && verdict !== 'deny') {
    return fail({ line, detail: 'expected "allow" or "deny" first' });
  }
  if (!isAction(action)) {
    return fail({ line, detail: 'expected "publish", "subscribe" or "all" second' });
  }
  const filterText = rest.at(-1);
  if (filterText === undefined) return fail({ line, detail: 'expected a topic filter last' });
  const subject = subjectOf(rest.slice(0, -1));
  if (subject === null) {
    const detail = 'expected "user NAME", "client ID", "anonymous" or "all" before the filter';
    return fail({ line, detail });
  }
  const filter = parseRuleFilter(filterText, 'expand');
  if (filter === null) return fail({ line, detail: `"${filterText}" is not a topic filter` });
  return succeed({ verdict, action, subject, filter });
}

function isAction(word: string | undefined): word is RuleAction {
  return word === 'publish' || word === 'subscribe' || word === 'all';
}

function subjectOf(words: readonly string[]): RuleSubject | null {
  const [kind, name] = words;
  if (words.length === 0) return { kind: 'all' };
  if (words.length === 1 && (kind === 'all' || kind === 'anonymous')) return { kind };
  if (words.length !== 2 || name === undefined || name === '') return null;
  if (kind === 'user') return { kind, username: name };
  return kind === 'client' ? { kind, clientId: name } : null;
}

/** @returns null when a quote is not closed, or closes inside a word */
function wordsOf(text: string): string[] | null {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\["\\])*)"|([^\s"]+))(?=\s|$)/y;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) return null;
    const [, quoted, bare] = found;
    words.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(["\\])/g, '$1'));
  }
  return words;
}
