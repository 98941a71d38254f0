/**
 * Lists which normative statements of MQTT 5.0 and 3.1.1 the code cites and the tests show.
 *
 * usage: node scripts/spec-coverage.ts      writes docs/reference/mqtt-coverage.md
 *
 * The page is committed, so that coverage is a diff in review. "Tested" means that a test names the
 * statement; whether it shows it is for the reviewer to judge.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClauseCitation, clauseCitations } from './clause-citations.ts';
import { SERVER_STATEMENTS } from './mqtt-statements.ts';
import { allFiles, readWorkspace, type SourceFile } from './workspace.ts';

type Standing = 'cited and tested' | 'cited' | 'tested' | 'deviation' | 'absent';
const STANDINGS: readonly Standing[] = [
  'cited and tested',
  'tested',
  'cited',
  'deviation',
  'absent',
];

/** What the sources and tests say about one version. */
class Coverage {
  readonly version: '5.0' | '3.1.1';
  readonly #cited = new Set<string>();
  readonly #tested = new Set<string>();
  readonly #deviations = new Set<string>();

  constructor(version: '5.0' | '3.1.1') {
    this.version = version;
  }

  note({ version, statement, kind }: ClauseCitation, role: SourceFile['role']): void {
    if (version !== this.version) return;
    if (kind === 'deviation') this.#deviations.add(statement);
    else if (role === 'test') this.#tested.add(statement);
    else this.#cited.add(statement);
  }

  get byStanding(): ReadonlyMap<Standing, readonly string[]> {
    return Map.groupBy(SERVER_STATEMENTS[this.version], (statement) => this.#standingOf(statement));
  }

  /** Cited, but of clients or not of this standard. */
  get unknown(): readonly string[] {
    const all = new Set([...this.#cited, ...this.#tested, ...this.#deviations]);
    return [...all].filter((each) => !SERVER_STATEMENTS[this.version].includes(each)).toSorted();
  }

  #standingOf(statement: string): Standing {
    if (this.#deviations.has(statement)) return 'deviation';
    if (this.#cited.has(statement) && this.#tested.has(statement)) return 'cited and tested';
    if (this.#tested.has(statement)) return 'tested';
    return this.#cited.has(statement) ? 'cited' : 'absent';
  }
}

function sectionsOf(coverage: Coverage): readonly string[] {
  const { byStanding, unknown, version } = coverage;
  const counts = STANDINGS.map(
    (standing) => `| ${standing} | ${byStanding.get(standing)?.length ?? 0} |`,
  );
  const lists = STANDINGS.map(
    (standing) =>
      `### ${version}: ${standing}\n\n${(byStanding.get(standing) ?? ['none']).join(', ')}`,
  );
  return [
    `## MQTT ${version}`,
    ['| standing | statements |', '|---|---|', ...counts].join('\n'),
    ...lists,
    `### ${version}: cited, but of clients or not of this standard\n\n${unknown.join(', ') || 'none'}`,
  ];
}

const root = new URL('..', import.meta.url).pathname;
const coverages = [new Coverage('5.0'), new Coverage('3.1.1')];
for (const file of allFiles(readWorkspace(root))) {
  if (file.path.startsWith('scripts/')) continue;
  for (const citation of clauseCitations(file)) {
    for (const coverage of coverages) coverage.note(citation, file.role);
  }
}
const page = [
  '# Coverage of MQTT 5.0 and 3.1.1',
  'Which of the normative statements that bind a broker are cited on the line that obeys them, and ' +
    'named by a test. Written by `make spec-coverage`; do not edit. What 3.1.1 shares with 5.0 is mostly ' +
    'cited by the number of 5.0 alone.',
  ...coverages.flatMap(sectionsOf),
].join('\n\n');

mkdirSync(join(root, 'docs/reference'), { recursive: true });
writeFileSync(join(root, 'docs/reference/mqtt-coverage.md'), `${page}\n`);
for (const { byStanding, version } of coverages) {
  for (const standing of STANDINGS) {
    const count = byStanding.get(standing)?.length ?? 0;
    console.log(`${version.padEnd(6)} ${String(count).padStart(4)}  ${standing}`);
  }
  console.log(`of ${SERVER_STATEMENTS[version].length}; see docs/reference/mqtt-coverage.md`);
}
