import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../mqtt/client-flags.ts';
import { addServerFlags, type ServerFlags } from '../placement/server-flags.ts';

/** The flags of every command about a whole cluster. */
export interface ClusterFlags extends ServerFlags {
  readonly clusterName: string;
}

/** Of those that print lists. */
export interface ListFlags extends ClusterFlags {
  readonly limit: number;
  readonly after?: string;
}

/** Adds the flags to a command. */
export function addClusterFlags(command: Command): Command {
  return addServerFlags(command).option(
    '--cluster-name <name>',
    'the cluster that is meant, if the placement center keeps several',
    notEmpty,
    'robustmq',
  );
}

/** Adds those of a list, besides. */
export function addListFlags(command: Command): Command {
  return addClusterFlags(command)
    .option('--limit <number>', 'at most so many (0: all)', wholeNumber(0, 1_000_000_000), 100)
    .option('--after <place>', 'go on where the call before said that there are more');
}

function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('it may not be empty');
  return text;
}
