/** Counts of passed, failed and skipped tests, from whatever form a suite reports them in. */

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One line for every test that did not run, so that nobody takes silence for success. */
  readonly skippedNames: readonly string[];
}

/** What is read of the report that vitest writes with `--reporter=json`. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

export const EMPTY_TALLY: Tally = { passed: 0, failed: 0, skipped: 0, skippedNames: [] };

/** A file that cannot be loaded has no failed test to count: it counts as one. */
export function tallyOfVitest(report: VitestReport): Tally {
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((each) => each.status === 'failed'),
  );
  const skippedNames = report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((each) => ['skipped', 'pending', 'todo', 'disabled'].includes(each.status))
      .map((each) => `${file.name}: ${each.fullName}`),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
    skippedNames,
  };
}

/** Reads `{ "passed": 3, "failed": 0, "skipped": 0 }`; anything else is one failure. */
export function tallyOfResult(text: string): Tally {
  const failure: Tally = { ...EMPTY_TALLY, failed: 1 };
  try {
    const { passed, failed, skipped } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (!isCount(passed) || !isCount(failed)) return failure;
    return { passed, failed, skipped: isCount(skipped) ? skipped : 0, skippedNames: [] };
  } catch {
    return failure;
  }
}

/** A suite that ends badly without counting a failure still failed. */
export function withExitCode(tally: Tally, exitCode: number | null): Tally {
  return exitCode === 0 || tally.failed > 0 ? tally : { ...tally, failed: 1 };
}

export function sumOf(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, each) => ({
      passed: sum.passed + each.passed,
      failed: sum.failed + each.failed,
      skipped: sum.skipped + each.skipped,
      skippedNames: [...sum.skippedNames, ...each.skippedNames],
    }),
    EMPTY_TALLY,
  );
}

/** The last line of a run; scripts read it. */
export function closingLine(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
