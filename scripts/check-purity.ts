/**
 * Are cores and words free of effects?
 *
 * Same state and same input must give the same output: no Node modules, no `async` or `await`, no
 * clock, no chance, no timers, no process, no console. Names are judged as code tokens with their
 * neighbours, so a property `date.process`, a string 'async' or a comment is no finding. `Promise`
 * may stand in a contract's type (`Promise<Offset>`), never where one is made.
 */

import { isBuiltin } from 'node:module';
import type { Check, Finding } from './finding.ts';
import { moduleImports } from './module-imports.ts';
import { codeTokens, type Token } from './source-tokens.ts';
import type { SourceFile, Workspace } from './workspace.ts';

/** Names that are an effect wherever they stand as a global. */
const GLOBALS = new Set(
  'Buffer setTimeout setInterval setImmediate queueMicrotask fetch globalThis require'.split(' '),
);
/** Names that are an effect when something of theirs is used: `process.env`, `new Date()`. */
const OBJECTS = new Set(['process', 'console', 'performance', 'crypto', 'Date', 'Atomics']);

export function checkPurity(workspace: Workspace): Check {
  const files = workspace.packages
    .filter((each) => each.layer === 'core' || each.layer === 'word')
    .flatMap((each) => each.files.filter((file) => file.role === 'source'));
  return {
    rule: 'purity of cores',
    reason: 'A core that waits, reads a clock or rolls dice cannot be simulated or replayed.',
    wayOut:
      'Take time and randomness as inputs and return what an edge must do; move the effect to an edge.',
    severity: 'error',
    findings: files.flatMap(impurities),
  };
}

/** The effects that one file of a core can reach. */
export function impurities(file: SourceFile): readonly Finding[] {
  const code = codeTokens(file.tokens);
  const found: Finding[] = [];
  for (const { specifier, line } of moduleImports(file.tokens)) {
    if (isBuiltin(specifier))
      found.push({ path: file.path, line, message: `imports ${specifier}` });
  }
  for (const [index, token] of code.entries()) {
    const neighbours = { before: code[index - 1], after: code[index + 1], last: code[index + 2] };
    const effect = token.kind === 'identifier' ? effectOf(token.text, neighbours) : undefined;
    if (effect !== undefined) found.push({ path: file.path, line: token.line, message: effect });
  }
  return found;
}

interface Neighbours {
  readonly before: Token | undefined;
  readonly after: Token | undefined;
  readonly last: Token | undefined;
}

function effectOf(name: string, near: Neighbours): string | undefined {
  const before = near.before?.text;
  const after = near.after?.text;
  if (before === '.' || before === '?.') return undefined; // a property of something else
  if (after === ':' || (after === '?' && near.last?.text === ':')) return undefined; // a key
  if (name === 'await') return 'await';
  if (name === 'async') return startsFunction(near.after) ? 'async function' : undefined;
  if (name === 'Promise') return before === 'new' || after === '.' ? 'makes a Promise' : undefined;
  if (name === 'Math') return near.last?.text === 'random' ? 'Math.random' : undefined;
  if (GLOBALS.has(name)) return name;
  const isUsed = after === '.' || after === '(' || after === '?.' || before === 'new';
  return OBJECTS.has(name) && isUsed ? name : undefined;
}

function startsFunction(after: Token | undefined): boolean {
  if (after === undefined) return false;
  return after.kind === 'identifier' || ['(', '<', '*', '['].includes(after.text);
}
