import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runScenario } from './scenario.ts';
import { checkScenarioFile, scenarioFilesIn } from './scenario-file.ts';

const echo = `# What is shown.

say word=hello
say word=again
----
hello     # the first
again

# Between paragraphs.
quiet
----
ok
`;

function run(commands: Parameters<Parameters<typeof runScenario>[1]>[0]): string {
  return commands.map((each) => (each.name === 'say' ? `${each.text('word')}\n` : '')).join('');
}

describe('a scenario', () => {
  test('that sees what it expects passes and is not rewritten', () => {
    expect(runScenario(echo, run)).toEqual({ rewritten: echo, mismatches: [] });
  });

  test('that sees something else names the line and is rewritten with what it saw', () => {
    const outcome = runScenario(echo.replace('again\n\n#', 'never\n\n#'), run);
    expect(outcome.mismatches).toHaveLength(1);
    expect(outcome.mismatches[0]).toContain('line 3');
    expect(outcome.rewritten).toBe(echo.replace('     # the first', ''));
  });

  test('gives commands their arguments as text, numbers and lists', () => {
    runScenario('go node=3 to=(1,2) now\n----\nok\n', ([command]) => {
      expect(command?.number('node')).toBe(3);
      expect(command?.numbers('to')).toEqual([1, 2]);
      expect(command?.has('now')).toBe(true);
      expect(() => command?.text('absent')).toThrow('line 1: go needs absent=');
      return '';
    });
  });

  test('in a file is compared, or rewritten when golden output is asked for', () => {
    const directory = mkdtempSync(join(tmpdir(), 'datadriven-'));
    try {
      writeFileSync(join(directory, 'b.txt'), echo.replace('ok', 'wrong'));
      expect(scenarioFilesIn(directory)).toEqual(['b']);
      const before = process.env['GOLDEN'];
      delete process.env['GOLDEN'];
      expect(checkScenarioFile(directory, 'b', run)).toHaveLength(1);
      process.env['GOLDEN'] = '1';
      expect(checkScenarioFile(directory, 'b', run)).toEqual([]);
      if (before === undefined) delete process.env['GOLDEN'];
      expect(readFileSync(join(directory, 'b.txt'), 'utf8')).toBe(echo);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
