/**
 * Runs every rule that a script can decide, then the linter and the format check.
 *
 * usage: node scripts/lint.ts [--all]      --all shows every piece of advice
 *
 * Exit code 1 when a rule is broken; advice never fails.
 */

import { spawnSync } from 'node:child_process';
import { checkCitations } from './check-citations.ts';
import { checkDocs } from './check-docs.ts';
import { checkDocumented, checkExports } from './check-exports.ts';
import { checkLayers } from './check-layers.ts';
import { checkLockfile } from './check-lockfile.ts';
import { checkNames } from './check-names.ts';
import { checkPurity } from './check-purity.ts';
import { checkSizes } from './check-sizes.ts';
import { describeCheck, isFailure } from './finding.ts';
import { readWorkspace } from './workspace.ts';

const TOOLS = [
  { name: 'oxlint', command: 'oxlint', options: ['--type-aware', '--quiet'] },
  { name: 'format', command: 'biome', options: ['format', '--reporter=summary'] },
] as const;

const root = new URL('..', import.meta.url).pathname;
process.env['PATH'] = `${root}node_modules/.bin:${process.env['PATH'] ?? ''}`;

const workspace = readWorkspace(root);
const checks = [
  checkLayers(workspace),
  checkPurity(workspace),
  checkSizes(workspace),
  checkNames(workspace),
  checkCitations(workspace),
  checkExports(workspace),
  checkDocumented(workspace),
  checkDocs(workspace),
  checkLockfile(workspace),
];

const failures: string[] = [];
for (const check of checks) {
  if (check.findings.length === 0) continue;
  const severity = process.argv.includes('--all') ? 'error' : check.severity;
  console.log(`${describeCheck({ ...check, severity })}\n`);
  if (isFailure(check)) failures.push(check.rule);
}
for (const tool of TOOLS) {
  const run = spawnSync(tool.command, tool.options, { cwd: root, stdio: 'inherit' });
  if (run.status !== 0) failures.push(tool.name);
}

if (failures.length > 0) {
  console.log(`lint: broken: ${failures.join(', ')}`);
  process.exitCode = 1;
} else {
  console.log(`lint: ${checks.length + TOOLS.length} rules hold`);
}
