import { Command } from 'commander';
import { EXIT_CODES_HELP } from '../exit-code.ts';

/** `robustctl passwd`. */
export function passwdCommand(): Command {
  return new Command('passwd')
    .description('add a user to a password file, change a password, or delete a user')
    .helpOption('--help', 'show this help')
    .argument('<file>', 'the file that [auth] password_file names; made when it is missing')
    .argument('<user>', 'the user name')
    .option('--delete', 'delete the user')
    .option('--password-stdin', 'the password is the first line of standard input')
    .addHelpText('after', HELP + EXIT_CODES_HELP)
    .action(
      async (
        file: string,
        user: string,
        flags: { readonly delete?: true; readonly passwordStdin?: true },
      ) => {
        const { changePassword, removeUser } = await import('../access/change-password.ts');
        if (flags.delete === true) await removeUser(file, user);
        else await changePassword(file, user, flags.passwordStdin === true ? 'input' : 'prompt');
      },
    );
}

const HELP = `
Examples:
  robustctl passwd passwords.txt alice                     asks for the password, twice
  pass show mqtt/alice | robustctl passwd passwords.txt alice --password-stdin
  robustctl passwd passwords.txt alice --delete

A running broker reads the file again on SIGHUP. Passwords are stored as salted hashes (scrypt).`;
