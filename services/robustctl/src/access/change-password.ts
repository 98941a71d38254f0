import { deletePassword, describeAccessFault, setPassword } from '@robustmq/access';
import type { AccessFault } from '@robustmq/access';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print } from '../output.ts';
import { askHidden, firstInputLine } from './password-input.ts';

/** Adds a user or changes the password. @throws CommandError */
export async function changePassword(
  file: string,
  username: string,
  from: 'input' | 'prompt',
): Promise<void> {
  const text = from === 'input' ? await firstInputLine() : await askTwice(username);
  if (text === '') throw new CommandError(ExitCode.usage, 'the password is empty');
  const outcome = await setPassword(file, { username, password: Buffer.from(text, 'utf8') });
  if (!outcome.ok) throw commandErrorOf(outcome.fault);
  print(outcome.value === 'added' ? `added ${username}` : `changed the password of ${username}`);
}

/** Deletes a user. @throws CommandError also when there is no such user */
export async function removeUser(file: string, username: string): Promise<void> {
  const outcome = await deletePassword(file, username);
  if (!outcome.ok) throw commandErrorOf(outcome.fault);
  if (outcome.value === 'absent') {
    throw new CommandError(ExitCode.failed, `${file} has no user ${username}`);
  }
  print(`deleted ${username}`);
}

async function askTwice(username: string): Promise<string> {
  const text = await askHidden(`Password of ${username}: `);
  if (text !== (await askHidden('Once more: '))) {
    throw new CommandError(ExitCode.usage, 'the two passwords differ; nothing was changed');
  }
  return text;
}

function commandErrorOf(fault: AccessFault): CommandError {
  return new CommandError(exitCodeOf(fault), describeAccessFault(fault));
}

function exitCodeOf(fault: AccessFault): ExitCode {
  switch (fault.code) {
    case 'ACCESS_FILE_UNREADABLE':
    case 'ACCESS_FILE_UNWRITABLE':
      return ExitCode.inputOutput;
    case 'ACCESS_FILE_MALFORMED':
      return ExitCode.configuration;
    case 'ACCESS_USERNAME_INVALID':
      return ExitCode.usage;
  }
}
