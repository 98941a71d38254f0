import { globSync, readFileSync } from 'node:fs';
import { describeProblem, keysOf, resolveConfiguration } from '@robustmq/config';
import { brokerSchema } from '@robustmq/mqtt-broker';
import { describe, expect, test } from 'vitest';
import { faultCodes } from './fault-codes.ts';
import { cliReferencePage } from './generate-cli-reference.ts';
import { configReferencePage } from './generate-config-reference.ts';
import { limitTags, namesIn } from './limit-tags.ts';
import { readWorkspace, sourceFile } from './workspace.ts';

const root = new URL('..', import.meta.url).pathname;
const workspace = readWorkspace(root);

function page(name: string): string {
  return readFileSync(`${root}docs/reference/${name}.md`, 'utf8');
}

/** The names in backticks of the first `count` cells of every row. */
function rowsOf(text: string, count: number): readonly (readonly (readonly string[])[])[] {
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((line) =>
    line
      .split('|')
      .slice(1, 1 + count)
      .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)),
  );
}

test('docs/reference/config.md is what the schema says', () => {
  const hint = 'run: node --conditions=source scripts/generate-config-reference.ts';
  expect(page('config'), hint).toBe(configReferencePage());
});

test('docs/reference/cli.md is what --help says', () => {
  const hint = 'run: node --conditions=source scripts/generate-cli-reference.ts';
  expect(page('cli'), hint).toBe(cliReferencePage());
});

test('docs/reference/errors.md has every code that the sources give, and no other', () => {
  const documented = rowsOf(page('errors'), 1).flatMap(([names = []]) => names);
  expect([...documented].sort()).toEqual(faultCodes(workspace));
});

describe('docs/reference/limits.md', () => {
  const [configured = '', tagged = ''] = page('limits').split(
    '\n## Limits that the sources name\n',
  );

  test('has every limit that the sources tag, and no other', () => {
    const documented = rowsOf(tagged, 2).flatMap(([names = [], packages = []]) =>
      names.flatMap((name) => packages.map((each) => `${name} of ${each}`)),
    );
    const tags = limitTags(workspace).map((tag) => `${tag.name} of ${tag.package}`);
    expect([...documented].sort()).toEqual([...new Set(tags)].sort());
  });

  test('has every key of [limits], and says what happens there', () => {
    const documented = rowsOf(configured, 1).flatMap(([names = []]) => names);
    const keys = keysOf(brokerSchema).filter((key) => key.section === 'limits');
    expect(documented).toEqual(expect.arrayContaining(keys.map((key) => key.name)));
  });
});

describe('configuration that the guides show', () => {
  for (const path of globSync('docs/guides/*.md', { cwd: root })) {
    test(`is right in ${path}`, () => {
      const blocks = readFileSync(root + path, 'utf8').matchAll(/```toml\n([^]*?)```/g);
      for (const [, text = ''] of blocks) {
        const file = { name: path, text };
        const resolved = resolveConfiguration(brokerSchema, { file, environment: {} });
        const problems = resolved.ok ? resolved.value.warnings : resolved.fault;
        expect(problems.map(describeProblem), text).toEqual([]);
      }
    });
  }
});

const tags = [
  ['/** LIMIT: aMax, bMax */', ['aMax', 'bMax'], 'names stand in a list'],
  ['/** LIMIT: aMax is reached. */', ['aMax'], 'a sentence may begin with the name'],
  [
    '/** LIMIT: bytes of a file. */\nreadonly fileBytesMax: number;',
    ['fileBytesMax'],
    'the next field',
  ],
  ['/** LIMIT: bytesMax, in all; beyond it 0x97. */', ['bytesMax'], 'what follows names explains'],
  ['const A = 1; // LIMIT: log-bytes', ['log-bytes'], 'a name may have hyphens'],
  ['/** LIMIT: what a file may take. */\nconst BYTES_MAX = 1;', ['BYTES_MAX'], 'the next constant'],
  ["const a = 'LIMIT: b';", [], 'a string is not a tag'],
] as const;

describe('a limit tag', () => {
  for (const [text, expected, why] of tags) {
    test(why, () => expect(namesIn(sourceFile('a.ts', text))).toEqual(expected));
  }
});
