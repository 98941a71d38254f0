import { Command } from 'commander';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import { wholeNumber } from '../mqtt/client-flags.ts';
import { addServerFlags } from '../placement/server-flags.ts';
import type { ServerFlags } from '../placement/server-flags.ts';

export interface GetFlags extends ServerFlags {
  readonly prefix?: true;
  readonly limit: number;
  readonly keysOnly?: true;
  readonly serializable?: true;
}

export interface PutFlags extends ServerFlags {
  readonly leaseTtl?: number;
  readonly file?: string;
}

export interface DeleteFlags extends ServerFlags {
  readonly prefix?: true;
}

export interface WatchFlags extends ServerFlags {
  readonly prefix?: true;
  readonly from?: number;
  readonly count?: number;
}

/** `robustctl kv get|put|del|watch`. */
export function kvCommand(): Command {
  const command = new Command('kv')
    .description('read, change and watch keys of the placement center')
    .helpOption('--help', 'show this help');
  withFlags(command, 'get', 'read a key, or all keys with a prefix')
    .argument('<key>', 'the key; with --prefix its beginning ("" for all)')
    .option('--prefix', 'every key that begins so')
    .option('--limit <number>', 'at most so many keys (0: all)', wholeNumber(0, 1_000_000_000), 0)
    .option('--keys-only', 'without values')
    .option('--serializable', 'any member may answer, even one that lags')
    .action(async (key: string, flags: GetFlags) => (await run()).runGet(key, flags));
  withFlags(command, 'put', 'set a key')
    .argument('<key>', 'the key')
    .argument('[value]', 'its value as text; - or nothing reads standard input')
    .option('--file <file>', 'a file that is the value')
    .option(
      '--lease-ttl <seconds>',
      'the key goes after so long, unless someone keeps its lease alive',
      wholeNumber(1, 9_000_000_000),
    )
    .action(async (key: string, value: string | undefined, flags: PutFlags) =>
      (await run()).runPut(key, value, flags),
    );
  withFlags(command, 'del', 'delete a key, or all keys with a prefix')
    .argument('<key>', 'the key; with --prefix its beginning')
    .option('--prefix', 'every key that begins so')
    .action(async (key: string, flags: DeleteFlags) => (await run()).runDelete(key, flags));
  withFlags(command, 'watch', 'print changes as they happen')
    .argument('<key>', 'the key; with --prefix its beginning ("" for all)')
    .option('--prefix', 'every key that begins so')
    .option(
      '--from <revision>',
      'begin with this revision (default: from now on)',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--count <number>', 'end after so many changes', wholeNumber(1, 1_000_000_000))
    .action(async (key: string, flags: WatchFlags) => (await run()).runWatch(key, flags));
  return command;
}

function withFlags(command: Command, name: string, description: string): Command {
  return addServerFlags(command.command(name))
    .description(description)
    .addHelpText('after', `\nExample:\n  ${EXAMPLES[name] ?? ''}${EXIT_CODES_HELP}`);
}

const EXAMPLES: Readonly<Record<string, string>> = {
  get: 'robustctl kv get --prefix /app/ --keys-only',
  put: 'robustctl kv put /app/leader node-1 --lease-ttl 30',
  del: 'robustctl kv del /app/leader',
  watch: 'robustctl kv watch --prefix /app/ --from 1 --output json',
};

function run(): Promise<typeof import('../placement/run-kv.ts')> {
  return import('../placement/run-kv.ts');
}
