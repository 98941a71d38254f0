import { describe, expect, test } from 'vitest';
import { FILE_LINES_MAX, FUNCTION_LINES_MAX, sizeFindings } from './check-sizes.ts';
import { sourceFile } from './workspace.ts';

const longFunction = `function f() {\n${'a();\n'.repeat(FUNCTION_LINES_MAX)}}\n`;
const lines = FUNCTION_LINES_MAX + 2;

describe('sizes', () => {
  test('a function past the limit is found', () => {
    expect(sizeFindings([sourceFile('libs/x/src/a.ts', longFunction)], {})).toEqual([
      {
        path: 'libs/x/src/a.ts',
        line: 1,
        message: `libs/x/src/a.ts#f has ${lines} lines, allowed are ${FUNCTION_LINES_MAX}`,
      },
    ]);
  });

  test('an allowance holds for today’s size and not for more', () => {
    const files = [sourceFile('libs/x/src/a.ts', longFunction)];
    const key = 'libs/x/src/a.ts#f';
    expect(sizeFindings(files, { [key]: { lines, reason: 'dispatch' } })).toEqual([]);
    expect(sizeFindings(files, { [key]: { lines: lines - 1, reason: 'dispatch' } })).toHaveLength(
      1,
    );
  });

  test('an allowance that is not needed is found', () => {
    const findings = sizeFindings([], { 'libs/x/src/a.ts#f': { lines: 99, reason: 'dispatch' } });
    expect(findings.map((finding) => finding.path)).toEqual(['scripts/size-allowlist.json']);
  });

  test('a test may have long functions and no long file', () => {
    const files = [sourceFile('libs/x/src/a.test.ts', longFunction)];
    expect(sizeFindings(files, {})).toEqual([]);
    const long = [sourceFile('libs/x/src/a.test.ts', 'a();\n'.repeat(FILE_LINES_MAX + 1))];
    expect(sizeFindings(long, {})).toHaveLength(1);
  });
});
