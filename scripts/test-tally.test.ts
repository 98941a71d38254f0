import { describe, expect, test } from 'vitest';
import {
  closingLine,
  EMPTY_TALLY,
  sumOf,
  tallyOfResult,
  tallyOfVitest,
  withExitCode,
} from './test-tally.ts';

const report = {
  numPassedTests: 2,
  numFailedTests: 1,
  numPendingTests: 1,
  numTodoTests: 0,
  testResults: [
    {
      name: 'a.test.ts',
      status: 'failed',
      assertionResults: [
        { fullName: 'adds', status: 'passed' },
        { fullName: 'takes', status: 'failed' },
        { fullName: 'needs a server', status: 'skipped' },
      ],
    },
  ],
};

describe('the report of vitest', () => {
  test('is counted, and skipped tests are named', () => {
    expect(tallyOfVitest(report)).toEqual({
      passed: 2,
      failed: 1,
      skipped: 1,
      skippedNames: ['a.test.ts: needs a server'],
    });
  });

  test('a file that cannot be loaded is one failure', () => {
    const broken = { name: 'b.test.ts', status: 'failed', assertionResults: [] };
    const tally = tallyOfVitest({ ...report, testResults: [...report.testResults, broken] });
    expect(tally.failed).toBe(2);
  });
});

describe('the result file of a script suite', () => {
  const rows = [
    ['{"passed":3,"failed":0,"skipped":1}', 3, 0, 1, 'all three counts'],
    ['{"passed":3,"failed":0}', 3, 0, 0, 'nothing skipped'],
    ['{"passed":-1,"failed":0}', 0, 1, 0, 'a negative count is a failure'],
    ['{"ok":true}', 0, 1, 0, 'no counts are a failure'],
    ['', 0, 1, 0, 'an empty file is a failure'],
  ] as const;
  for (const [text, passed, failed, skipped, why] of rows) {
    test(why, () => expect(tallyOfResult(text)).toMatchObject({ passed, failed, skipped }));
  }
});

test('a suite that ends badly without a failure counts as one', () => {
  expect(withExitCode(EMPTY_TALLY, 0).failed).toBe(0);
  expect(withExitCode(EMPTY_TALLY, 1).failed).toBe(1);
  expect(withExitCode(EMPTY_TALLY, null).failed).toBe(1);
  expect(withExitCode({ ...EMPTY_TALLY, failed: 4 }, 1).failed).toBe(4);
});

test('the closing line names skipped tests only when there are some', () => {
  const sum = sumOf([tallyOfResult('{"passed":3,"failed":0}'), tallyOfVitest(report)]);
  expect(closingLine(sum)).toBe('5 passed, 1 failed, 1 skipped');
  expect(closingLine({ ...sum, skipped: 0 })).toBe('5 passed, 1 failed');
});
