/** Do the Markdown pages have one title each, and do their relative links lead somewhere? */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Check, Finding } from './finding.ts';
import type { Workspace } from './workspace.ts';

export function checkDocs(workspace: Workspace): Check {
  const findings = markdownPaths(workspace.root).flatMap((path) => {
    const text = readFileSync(join(workspace.root, path), 'utf8');
    const exists = (target: string): boolean =>
      existsSync(join(workspace.root, dirname(path), target));
    return pageFindings({ path, text }, exists);
  });
  return {
    rule: 'Markdown pages',
    reason: 'A page with two titles is two pages, and a dead link costs every reader a minute.',
    wayOut: 'Keep one line that starts with "# "; link to files that exist.',
    severity: 'error',
    findings,
  };
}

/** Titles and links of one page; fenced blocks are text. */
export function pageFindings(
  page: { readonly path: string; readonly text: string },
  exists: (target: string) => boolean,
): readonly Finding[] {
  const { path } = page;
  const lines = withoutFences(page.text);
  const titles = lines.filter((line) => line.startsWith('# ')).length;
  const findings: Finding[] = [];
  if (titles !== 1) findings.push({ path, line: 0, message: `${titles} titles instead of one` });
  for (const [index, line] of lines.entries()) {
    for (const [, target = ''] of line.matchAll(/\]\(([^)\s]+)\)/g)) {
      const isElsewhere = /^[a-z]+:/.test(target) || target.startsWith('#');
      if (isElsewhere || exists(target.split('#')[0] ?? '')) continue;
      findings.push({ path, line: index + 1, message: `dead link: ${target}` });
    }
  }
  return findings;
}

function withoutFences(text: string): readonly string[] {
  let inside = false;
  return text.split('\n').map((line) => {
    const isFence = line.trimStart().startsWith('```');
    if (isFence) inside = !inside;
    return inside || isFence ? '' : line;
  });
}

function markdownPaths(root: string): readonly string[] {
  const arguments_ = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  try {
    const listed = execFileSync('git', arguments_, { cwd: root, encoding: 'utf8' });
    const paths = listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)));
    return [...new Set(paths)];
  } catch {
    return []; // an unpacked archive has no index: the pages were checked before it was made
  }
}
