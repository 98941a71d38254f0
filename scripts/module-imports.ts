/** Which modules does a file import or re-export from? Static and dynamic, types included. */

import { codeTokens, stringValue, type Token } from './source-tokens.ts';

export interface ModuleImport {
  readonly specifier: string;
  readonly line: number;
}

/** Finds `import … from 'x'`, `export … from 'x'`, `import 'x'` and `import('x')`. */
export function moduleImports(tokens: readonly Token[]): readonly ModuleImport[] {
  const code = codeTokens(tokens);
  const found: ModuleImport[] = [];
  for (const [index, token] of code.entries()) {
    if (token.kind !== 'string') continue;
    const before = code[index - 1];
    const beforeThat = code[index - 2];
    const isFrom = before?.kind === 'identifier' && before.text === 'from';
    const isBare = before?.kind === 'identifier' && before.text === 'import';
    const isCall = before?.text === '(' && beforeThat?.text === 'import';
    if (isFrom || isBare || isCall) found.push({ specifier: stringValue(token), line: token.line });
  }
  return found;
}

/** `@scope/name/deep` is `@scope/name`; `name/deep` is `name`. Relative specifiers are returned whole. */
export function packageOf(specifier: string): string {
  if (specifier.startsWith('.')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
