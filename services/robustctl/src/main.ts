#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CommandError, ExitCode } from './exit-code.ts';
import { note } from './output.ts';
import { createProgram } from './program.ts';

/** Runs one command line; every failure becomes a sentence and an exit code. */
async function main(): Promise<void> {
  try {
    await createProgram().parseAsync(process.argv);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (error instanceof CommandError) {
    note(`robustctl: ${error.message}`);
    return error.exitCode;
  }
  note(
    `robustctl: a mistake of this program: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return ExitCode.software;
}

// A reader that has seen enough (`robustctl sub | head -1`) is no mistake.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.ok);
  throw error;
});

await main();
