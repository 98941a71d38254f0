/** Do file names say what is inside? */

import type { Check, Finding } from './finding.ts';
import { allFiles, type Workspace } from './workspace.ts';

/** Words that name a drawer instead of its content. */
const EMPTY_WORDS = new Set(
  'util utils helper helpers common shared misc manager managers handler handlers processor'
    .split(' ')
    .concat('service info data impl base types constants interfaces stuff'.split(' ')),
);
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;

export function checkNames(workspace: Workspace): Check {
  const paths = allFiles(workspace).map((file) => file.path);
  return {
    rule: 'file names',
    reason: 'A folder listing is the first page of the documentation.',
    wayOut: 'Name the concept in kebab-case (retry-schedule.ts), or put the code where it is used.',
    severity: 'error',
    findings: nameFindings(paths),
  };
}

/** Judges every file and every folder below `libs/<package>` or `services/<package>` once. */
export function nameFindings(paths: readonly string[]): readonly Finding[] {
  const places = new Map<string, string>();
  for (const path of paths) {
    const parts = path.split('/');
    const first = parts[0] === 'scripts' ? 1 : 2;
    for (let end = first + 1; end <= parts.length; end += 1) {
      places.set(parts.slice(0, end).join('/'), parts[end - 1] ?? '');
    }
  }
  return [...places].flatMap(([path, name]) => {
    const message = nameMessage(name);
    return message === undefined ? [] : [{ path, line: 0, message }];
  });
}

function nameMessage(name: string): string | undefined {
  if (!KEBAB_CASE.test(name)) return `${name} is not kebab-case`;
  const word = (name.split('.')[0] ?? '').split('-').at(-1) ?? '';
  return EMPTY_WORDS.has(word) ? `"${word}" does not say what is inside` : undefined;
}
