/**
 * Where do functions begin and end?
 *
 * Found by shape in the token stream: a parameter list in parentheses, an optional return type and a
 * brace, or an arrow and a brace. Every body counts for itself; a nested one also counts for the
 * outer. Overloads, calls and control statements have no body of this shape.
 */

import { codeTokens, type Token } from './source-tokens.ts';

export interface FunctionSpan {
  /** `name` of a declaration, method or variable; `arrow` when there is none near. */
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

const CONTROL_WORDS = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'await', 'super']);
const STATEMENT_WORDS = new Set(
  'return const let var if for while case default break throw'.split(' '),
);
const TYPE_ENDS = new Set([';', ',', '=', ')', '?']);
const CLOSER: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' };

/** All functions with a body, by first line. */
export function functionSpans(tokens: readonly Token[]): readonly FunctionSpan[] {
  const code = codeTokens(tokens);
  const partners = matchBrackets(code);
  const spans: FunctionSpan[] = [];
  for (const [index, token] of code.entries()) {
    if (token.kind !== 'punctuator') continue;
    const body = token.text === '(' ? bodyAfterParameters(code, partners, index) : undefined;
    if (body === undefined) continue;
    const end = partners.get(body);
    const last = end === undefined ? undefined : code[end];
    if (last === undefined) continue;
    const first = nameIndex(code, index);
    const line = code[first]?.line ?? token.line;
    const name = functionName(code, index);
    spans.push({ name, line, lines: last.line - line + 1 });
  }
  return spans;
}

function matchBrackets(code: readonly Token[]): ReadonlyMap<number, number> {
  const partners = new Map<number, number>();
  const open: { readonly index: number; readonly closer: string }[] = [];
  for (const [index, token] of code.entries()) {
    if (token.kind !== 'punctuator') continue;
    const closer = CLOSER[token.text];
    if (closer !== undefined) open.push({ index, closer });
    else if (token.text === open.at(-1)?.closer) partners.set(open.pop()?.index ?? -1, index);
  }
  return partners;
}

/** The index of the brace that opens the body, when the parenthesis at `open` begins parameters. */
function bodyAfterParameters(
  code: readonly Token[],
  partners: ReadonlyMap<number, number>,
  open: number,
): number | undefined {
  const close = partners.get(open);
  if (close === undefined || CONTROL_WORDS.has(code[open - 1]?.text ?? '')) return undefined;
  const after = code[close + 1]?.text;
  if (after === '{') return close + 1;
  if (after === '=>') return code[close + 2]?.text === '{' ? close + 2 : undefined;
  return after === ':' ? bodyAfterType(code, partners, close + 2) : undefined;
}

function bodyAfterType(
  code: readonly Token[],
  partners: ReadonlyMap<number, number>,
  from: number,
): number | undefined {
  let index = from;
  let typeIsComplete = false;
  let angles = 0;
  while (index < code.length) {
    const token = code[index];
    if (token === undefined || (angles === 0 && TYPE_ENDS.has(token.text))) return undefined;
    if (token.text === '<') angles += 1;
    if (token.text === '>') angles -= 1;
    if (token.kind === 'identifier' && STATEMENT_WORDS.has(token.text)) return undefined;
    if (token.text === '{' && typeIsComplete) return index;
    if (token.text === '=>' && typeIsComplete && code[index + 1]?.text === '{') return index + 1;
    const partner = partners.get(index);
    typeIsComplete = partner !== undefined || isEndOfType(token);
    index = (partner ?? index) + 1;
  }
  return undefined;
}

function isEndOfType(token: Token): boolean {
  if (token.kind === 'punctuator') return token.text === '>';
  return !['is', 'asserts', 'keyof', 'readonly', 'extends', 'infer'].includes(token.text);
}

function nameIndex(code: readonly Token[], open: number): number {
  let index = open - 1;
  while (index > 0 && code[index]?.line === code[open]?.line && isNamePart(code[index])) index -= 1;
  return index + 1;
}

function isNamePart(token: Token | undefined): boolean {
  return (
    token !== undefined && (token.kind === 'identifier' || ['=', '<', '>'].includes(token.text))
  );
}

function functionName(code: readonly Token[], open: number): string {
  let index = open - 1;
  if (code[index]?.text === '>') while (index > 0 && code[index]?.text !== '<') index -= 1;
  if (code[index]?.text === '<') index -= 1;
  if (code[index]?.text === 'async') index -= 1;
  if (code[index]?.text === '=' || code[index]?.text === ':') index -= 1;
  const token = code[index];
  const isName = token?.kind === 'identifier' && token.text !== 'function';
  return isName ? token.text : 'arrow';
}
