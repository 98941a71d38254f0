/**
 * Lists which normative statements of MQTT 5.0 the code cites and the tests show.
 *
 * usage: node scripts/spec-coverage.ts      writes docs/reference/mqtt-coverage.md
 *
 * The page is committed, so that coverage is a diff in review. "Tested" means that a test names the
 * statement; whether it shows it is for the reviewer to judge.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clauseCitations } from './clause-citations.ts';
import { SERVER_STATEMENTS } from './mqtt-statements.ts';
import { allFiles, readWorkspace } from './workspace.ts';

type Standing = 'cited and tested' | 'cited' | 'tested' | 'deviation' | 'absent';
const STANDINGS: readonly Standing[] = [
  'cited and tested',
  'tested',
  'cited',
  'deviation',
  'absent',
];

const root = new URL('..', import.meta.url).pathname;
const cited = new Set<string>();
const tested = new Set<string>();
const deviations = new Set<string>();
for (const file of allFiles(readWorkspace(root)).filter(
  ({ path }) => !path.startsWith('scripts/'),
)) {
  for (const { version, statement, kind } of clauseCitations(file)) {
    if (version !== '5.0') continue;
    if (kind === 'deviation') deviations.add(statement);
    else if (file.role === 'test') tested.add(statement);
    else cited.add(statement);
  }
}

function standingOf(statement: string): Standing {
  if (deviations.has(statement)) return 'deviation';
  if (cited.has(statement) && tested.has(statement)) return 'cited and tested';
  if (tested.has(statement)) return 'tested';
  return cited.has(statement) ? 'cited' : 'absent';
}

const byStanding = Map.groupBy(SERVER_STATEMENTS, standingOf);
const unknown = [...cited, ...tested, ...deviations].filter(
  (statement) => !SERVER_STATEMENTS.includes(statement),
);
const counts = STANDINGS.map(
  (standing) => `| ${standing} | ${byStanding.get(standing)?.length ?? 0} |`,
);
const lists = STANDINGS.map(
  (standing) => `## ${standing}\n\n${(byStanding.get(standing) ?? ['none']).join(', ')}`,
);
const page = [
  '# Coverage of MQTT 5.0',
  'Which of the normative statements that bind a broker are cited on the line that obeys them, and ' +
    'named by a test. Written by `make spec-coverage`; do not edit.',
  ['| standing | statements |', '|---|---|', ...counts].join('\n'),
  ...lists,
  `## Cited, but of clients or not of this standard\n\n${[...new Set(unknown)].toSorted().join(', ') || 'none'}`,
].join('\n\n');

mkdirSync(join(root, 'docs/reference'), { recursive: true });
writeFileSync(join(root, 'docs/reference/mqtt-coverage.md'), `${page}\n`);
for (const standing of STANDINGS) {
  console.log(`${String(byStanding.get(standing)?.length ?? 0).padStart(4)}  ${standing}`);
}
console.log(`of ${SERVER_STATEMENTS.length}; see docs/reference/mqtt-coverage.md`);
