import { Command } from 'commander';
import { addClusterFlags, addListFlags, type ClusterFlags } from '../cluster/cluster-flags.ts';
import type { ClientListFlags } from '../cluster/run-clients.ts';
import type { DrainFlags } from '../cluster/run-drain.ts';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import { wholeNumber } from '../mqtt/client-flags.ts';

const brokerNumber = wholeNumber(1, 2 ** 31);

function brokerNumbers(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), brokerNumber(text)];
}

/** `robustctl client list|kick`. */
export function clientCommand(): Command {
  const command = group('client', 'clients that are connected, on all brokers');
  addListFlags(command.command('list'))
    .description('who is connected, where, and since when')
    .option('--broker <number>', 'only on this one', brokerNumber)
    .action(async (flags: ClientListFlags) => (await clients()).runClientList(flags));
  addClusterFlags(command.command('kick'))
    .description('end the connection of one client with 0x98; its session stays')
    .argument('<client>', 'the client identifier')
    .action(async (client: string, flags: ClusterFlags) =>
      (await clients()).runClientKick(client, flags),
    );
  return command;
}

/** `robustctl node drain|undrain`. */
export function nodeCommand(): Command {
  const command = group('node', 'one broker of the cluster');
  addClusterFlags(command.command('drain'))
    .description('send its clients to other brokers (0x9C), and wait until none is left')
    .argument('<broker...>', 'its number, or several', brokerNumbers)
    .option('--rate <number>', 'clients a second', wholeNumber(1, 1_000_000), 200)
    .option('--to <broker>', 'send all to this one (default: to all others in turn)', brokerNumber)
    .option('--permanent', 'tell them that it has moved for good (0x9D)')
    .action(async (brokers: readonly number[], flags: DrainFlags) =>
      (await drain()).runDrain(brokers, flags),
    );
  addClusterFlags(command.command('undrain'))
    .description('let clients in again')
    .argument('<broker...>', 'its number, or several', brokerNumbers)
    .action(async (brokers: readonly number[], flags: ClusterFlags) =>
      (await drain()).runUndrain(brokers, flags),
    );
  return command;
}

function group(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .helpOption('--help', 'show this help')
    .addHelpText('after', EXIT_CODES_HELP);
}

function clients(): Promise<typeof import('../cluster/run-clients.ts')> {
  return import('../cluster/run-clients.ts');
}

function drain(): Promise<typeof import('../cluster/run-drain.ts')> {
  return import('../cluster/run-drain.ts');
}
