/**
 * What the exit code of `robustctl` says; the numbers are those of sysexits.h where it has one.
 *
 * The table is part of `--help` and of scripts that people write: numbers keep their meaning.
 */
export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  software: 70,
  inputOutput: 74,
  timedOut: 75,
  accessDenied: 77,
  configuration: 78,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODES_HELP = `

Exit codes:
  0   done
  1   a second signal, or a crash
  64  the command line is wrong
  69  not available: nothing listens there, it is not running, or it is not part of this version
  70  a mistake of this program
  74  reading or writing failed: a file, the disk, a broken connection
  75  not done in time
  77  refused: user name, password, certificate or access rule
  78  the configuration is wrong`;

/** Ends a command with a message for people and a code for scripts. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
