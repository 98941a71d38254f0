/** Is the public face of every package written down name by name, and explained? */

import type { Check, Finding } from './finding.ts';
import type { Token } from './source-tokens.ts';
import { allFiles, type SourceFile, type Workspace } from './workspace.ts';

const DECLARATION_WORDS = new Set('function const let class interface type'.split(' '));
const MODIFIERS = new Set('declare async abstract'.split(' '));

export function checkExports(workspace: Workspace): Check {
  const files = allFiles(workspace).filter((file) => file.role === 'source');
  return {
    rule: 'one index.ts per package, no export *',
    reason: 'Names listed one by one are the contract; a star exports by accident.',
    wayOut: 'List the names in src/index.ts and import from the file inside a package.',
    severity: 'error',
    findings: [...files.flatMap(starExports), ...files.flatMap(innerIndexes)],
  };
}

export function checkDocumented(workspace: Workspace): Check {
  const files = workspace.packages
    .flatMap((each) => each.files)
    .filter((file) => file.role === 'source');
  return {
    rule: 'exported names are documented',
    reason: 'Callers rely on units, ownership, order and faults that a signature cannot say.',
    wayOut: 'Write the contract above the name; never restate the signature.',
    severity: 'advice',
    findings: files.flatMap(undocumentedExports),
  };
}

/** Every `export *` of a file. */
export function starExports(file: SourceFile): readonly Finding[] {
  const code = file.tokens.filter((token) => token.kind !== 'comment');
  return code.flatMap((token, index) => {
    const isStar = token.text === 'export' && code[index + 1]?.text === '*';
    return isStar ? [{ path: file.path, line: token.line, message: 'export *' }] : [];
  });
}

function innerIndexes(file: SourceFile): readonly Finding[] {
  const isInner = /^(libs|services)\/[^/]+\/.+\/index\.ts$/.test(file.path);
  if (!isInner || /^(libs|services)\/[^/]+\/src\/index\.ts$/.test(file.path)) return [];
  return [{ path: file.path, line: 0, message: 'a second index.ts' }];
}

/** Exported declarations without a documentation comment right above. */
export function undocumentedExports(file: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [index, token] of file.tokens.entries()) {
    if (token.kind !== 'identifier' || token.text !== 'export') continue;
    const name = declaredName(file.tokens, index + 1);
    const above = file.tokens[index - 1];
    const isDocumented = above?.kind === 'comment' && above.text.startsWith('/**');
    if (name === undefined || isDocumented) continue;
    findings.push({ path: file.path, line: token.line, message: `${name} has no documentation` });
  }
  return findings;
}

function declaredName(tokens: readonly Token[], from: number): string | undefined {
  let index = from;
  while (MODIFIERS.has(tokens[index]?.text ?? '')) index += 1;
  if (!DECLARATION_WORDS.has(tokens[index]?.text ?? '')) return undefined;
  const name = tokens[index + 1];
  return name?.kind === 'identifier' ? name.text : undefined;
}
