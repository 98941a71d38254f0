import { Command } from 'commander';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import { wholeNumber } from '../mqtt/client-flags.ts';
import type { RestoreFlags } from '../placement/run-backup.ts';
import { addServerFlags } from '../placement/server-flags.ts';
import type { ServerFlags } from '../placement/server-flags.ts';

/** The commands of `placement-center` beside start, stop and status. */
export function addPlacementCommands(place: Command): void {
  online(place, 'members', 'show who belongs to the placement center').action(
    async (flags: ServerFlags) => (await members()).runMembers(flags),
  );
  online(place, 'add-learner', 'add a member without a vote; it starts with join = true')
    .argument('<id>', 'its node_id, never used before')
    .argument('<host:port>', 'where the others reach it')
    .action(async (id: string, address: string, flags: ServerFlags) =>
      (await members()).runAddLearner(id, address, flags),
    );
  online(place, 'promote', 'give learners that have caught up a vote')
    .argument('<id...>', 'their numbers')
    .action(async (ids: readonly string[], flags: ServerFlags) =>
      (await members()).runPromote(ids, flags),
    );
  online(place, 'remove', 'take members out; their numbers are used up')
    .argument('<id...>', 'their numbers')
    .action(async (ids: readonly string[], flags: ServerFlags) =>
      (await members()).runRemove(ids, flags),
    );
  online(place, 'transfer-leader', 'let another member with a vote lead')
    .argument('<id>', 'its number')
    .action(async (id: string, flags: ServerFlags) =>
      (await members()).runTransferLeader(id, flags),
    );
  online(place, 'snapshot', 'write a snapshot on each member named, and cut its log').action(
    async (flags: ServerFlags) => (await members()).runSnapshot(flags),
  );
  online(place, 'backup', 'write everything at one moment into a file, with a checksum')
    .argument('<file>', 'a file that does not exist yet')
    .action(async (file: string, flags: ServerFlags) => {
      const { runBackup } = await import('../placement/run-backup.ts');
      await runBackup(file, flags);
    });
  addRestore(place);
}

function addRestore(place: Command): void {
  place
    .command('restore')
    .description('make a new cluster of one member from a backup; nothing needs to run')
    .argument('<file>', 'what `place backup` wrote')
    .requiredOption('--data <directory>', 'the new data_path; must be empty or absent')
    .option('--cluster-name <name>', 'cluster_name of the new cluster (default: as it was)')
    .option('--node-id <id>', 'node_id of its member', wholeNumber(1, 65_535), 1)
    .option('--address <host:port>', 'where the member will be reached', '127.0.0.1:1228')
    .helpOption('--help', 'show this help')
    .addHelpText('after', RESTORE_HELP + EXIT_CODES_HELP)
    .action(async (file: string, flags: RestoreFlags) => {
      const { runRestore } = await import('../placement/run-backup.ts');
      await runRestore(file, flags);
    });
}

function online(place: Command, name: string, description: string): Command {
  return addServerFlags(place.command(name))
    .description(description)
    .addHelpText('after', `\nExample:\n  ${EXAMPLES[name] ?? ''}${EXIT_CODES_HELP}`);
}

const EXAMPLES: Readonly<Record<string, string>> = {
  members: 'robustctl place members -s 10.0.0.1:1228,10.0.0.2:1228',
  'add-learner': 'robustctl place add-learner 4 10.0.0.4:1228 -s 10.0.0.1:1228',
  promote: 'robustctl place promote 4 5 -s 10.0.0.1:1228',
  remove: 'robustctl place remove 2 -s 10.0.0.1:1228',
  'transfer-leader': 'robustctl place transfer-leader 3 -s 10.0.0.1:1228',
  snapshot: 'robustctl place snapshot -s 10.0.0.1:1228',
  backup: 'robustctl place backup placement-2026-01-01.bak -s 10.0.0.1:1228',
};

const RESTORE_HELP = `
The new cluster has an identity of its own: members of the old one are refused. Start its member, then
add others with \`robustctl place add-learner\`.

Example:
  robustctl place restore placement.bak --data data/placement-center-new --address 10.0.0.1:1228`;

function members(): Promise<typeof import('../placement/run-members.ts')> {
  return import('../placement/run-members.ts');
}
