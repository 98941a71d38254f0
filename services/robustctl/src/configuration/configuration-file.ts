import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describeProblem } from '@robustmq/config';
import type { Problem } from '@robustmq/config';
import type { Component } from '../component.ts';
import { CommandError, ExitCode } from '../exit-code.ts';

/**
 * The file a component reads: the named one, else its default file where that exists, else none.
 *
 * A bare name that is not found here is looked for below `config/`, so that `node-1.toml` works.
 */
export function configurationPath(component: Component, named: string | undefined): string | null {
  if (named === undefined) return existsSync(component.defaultFile) ? component.defaultFile : null;
  if (existsSync(named) || basename(named) !== named) return named;
  const folder = basename(component.defaultFile, '.toml');
  const candidates = [
    `${dirname(component.defaultFile)}/${named}`,
    `config/cluster/${folder}/${named}`,
  ];
  return candidates.find((candidate) => existsSync(candidate)) ?? named;
}

/** All problems as one error for the operator; each is a line with its place. */
export function configurationError(problems: readonly Problem[]): CommandError {
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const lines = problems.map(describeProblem);
  const count = errors === 1 ? '1 mistake' : `${String(errors)} mistakes`;
  lines.push(
    `${count} in the configuration; \`robustctl config explain KEY\` tells what a key means`,
  );
  return new CommandError(ExitCode.configuration, lines.join('\n'));
}
