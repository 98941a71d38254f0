export { EXIT_CODES_HELP, ExitCode } from './exit-code.ts';
export { createProgram } from './program.ts';
