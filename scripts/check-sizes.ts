/**
 * Are files and functions small enough to read?
 *
 * A ratchet: what is listed in size-allowlist.json may stay as long as it is today and must not grow;
 * an entry that is no longer needed must go. Tests may have long functions (tables, suites), not
 * long files.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Finding } from './finding.ts';
import { functionSpans } from './function-spans.ts';
import { allFiles, type SourceFile, type Workspace } from './workspace.ts';

export const FILE_LINES_MAX = 500;
export const FUNCTION_LINES_MAX = 70;

/** `path` or `path#function` to how long it may be, and why. */
export type SizeAllowlist = Readonly<
  Record<string, { readonly lines: number; readonly reason: string }>
>;

export function checkSizes(workspace: Workspace): Check {
  const path = join(workspace.root, 'scripts/size-allowlist.json');
  const allowlist = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as SizeAllowlist)
    : {};
  return {
    rule: `files up to ${FILE_LINES_MAX} lines, functions up to ${FUNCTION_LINES_MAX}`,
    reason: 'What passes these sizes holds a second concept that deserves its own name.',
    wayOut:
      'Split the second concept out; a dispatch whose arms are one line each may be listed in ' +
      'scripts/size-allowlist.json with its size and reason.',
    severity: 'error',
    findings: sizeFindings(judgedFiles(workspace), allowlist),
  };
}

/** A suite is a long function by nature: the files of test packages count as tests. */
function judgedFiles(workspace: Workspace): readonly SourceFile[] {
  const suites = workspace.packages.filter((each) => each.layer === 'test');
  const inSuites = new Set(suites.flatMap((each) => each.files));
  return allFiles(workspace).map((file) => (inSuites.has(file) ? { ...file, role: 'test' } : file));
}

/** Everything longer than allowed, and every allowance that is no longer used. */
export function sizeFindings(
  files: readonly SourceFile[],
  allowlist: SizeAllowlist,
): readonly Finding[] {
  const unused = new Set(Object.keys(allowlist));
  const findings: Finding[] = [];
  for (const measured of files.flatMap(measure)) {
    if (measured.lines <= measured.linesMax) continue;
    unused.delete(measured.key);
    const allowed = allowlist[measured.key]?.lines ?? measured.linesMax;
    if (measured.lines <= allowed) continue;
    const message = `${measured.key} has ${measured.lines} lines, allowed are ${allowed}`;
    findings.push({ path: measured.path, line: measured.line, message });
  }
  for (const key of unused) {
    const message = `${key} fits the limit now: remove its allowance`;
    findings.push({ path: 'scripts/size-allowlist.json', line: 0, message });
  }
  return findings;
}

interface Measured {
  readonly key: string;
  readonly path: string;
  readonly line: number;
  readonly lines: number;
  readonly linesMax: number;
}

function measure(file: SourceFile): readonly Measured[] {
  const { path } = file;
  const lines = file.text.split('\n').length - 1;
  const whole: Measured = { key: path, path, line: 0, lines, linesMax: FILE_LINES_MAX };
  if (file.role === 'test') return [whole];
  const functions = functionSpans(file.tokens).map((span) => ({
    ...span,
    key: `${path}#${span.name}`,
    path,
    linesMax: FUNCTION_LINES_MAX,
  }));
  return [whole, ...functions];
}
