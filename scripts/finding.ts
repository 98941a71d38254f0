/** What the checks of this folder report, and how it is shown. */

/** One place that breaks a rule. */
export interface Finding {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  /** From 1; 0 when the whole file is meant. */
  readonly line: number;
  readonly message: string;
}

/** A rule that a script can decide. */
export interface Check {
  readonly rule: string;
  /** Why the rule exists, in one sentence. */
  readonly reason: string;
  /** What to do instead, in one sentence. */
  readonly wayOut: string;
  /** `advice` is printed and never fails the run. */
  readonly severity: 'error' | 'advice';
  readonly findings: readonly Finding[];
}

const ADVICE_LINES_MAX = 5;

/** The text for a person: rule, reason and way out once, then one line per place. */
export function describeCheck(check: Check): string {
  const places = check.findings.map((finding) => `  ${placeOf(finding)}  ${finding.message}`);
  const shown = check.severity === 'advice' ? places.slice(0, ADVICE_LINES_MAX) : places;
  const hidden = places.length - shown.length;
  return [
    `${check.severity}: ${check.rule}`,
    `  why: ${check.reason}`,
    `  way out: ${check.wayOut}`,
    ...shown,
    ...(hidden > 0 ? [`  … and ${hidden} more (--all shows them)`] : []),
  ].join('\n');
}

/** Whether the check fails the run. */
export function isFailure(check: Check): boolean {
  return check.severity === 'error' && check.findings.length > 0;
}

function placeOf(finding: Finding): string {
  return finding.line === 0 ? finding.path : `${finding.path}:${finding.line}`;
}
