import { createInterface } from 'node:readline';
import { CommandError, ExitCode } from '../exit-code.ts';

/** The first line of standard input, without its end; empty when there is none. */
export async function firstInputLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return '';
}

/**
 * Asks on the terminal without showing what is typed.
 *
 * @throws CommandError `usage` when there is no terminal, or the answer was broken off
 */
export function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw new CommandError(ExitCode.usage, 'no terminal to ask on; use --password-stdin');
  }
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (): void => {
      stdin.removeListener('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    };
    const onData = (chunk: Buffer): void => {
      for (const letter of chunk.toString('utf8')) {
        if (letter === '\r' || letter === '\n') {
          finish();
          resolve(typed);
          return;
        }
        // Ctrl-C and Ctrl-D break off; the terminal is raw, so they arrive as letters.
        if (letter === '\u0003' || letter === '\u0004') {
          finish();
          reject(new CommandError(ExitCode.usage, 'broken off; nothing was changed'));
          return;
        }
        typed = letter === '\u007f' || letter === '\b' ? typed.slice(0, -1) : typed + letter;
      }
    };
    stdin.on('data', onData);
  });
}
