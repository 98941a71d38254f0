import type { ScenarioCommand } from '@robustmq/datadriven';
import { ScenarioCluster } from './cluster.ts';
import { campaign } from './commands/campaign.ts';
import { cluster, given } from './commands/cluster.ts';
import type { CommandRun } from './commands/command-run.ts';
import { crash, restart } from './commands/crash.ts';
import { deliver, lose, settle } from './commands/deliver.ts';
import { flush, holdDisk } from './commands/disk.ts';
import { elect } from './commands/elect.ts';
import { change, configuration, join } from './commands/membership.ts';
import { heal, partition } from './commands/partition.ts';
import { propose } from './commands/propose.ts';
import { read, reads } from './commands/read.ts';
import { snapshot } from './commands/snapshot.ts';
import { messages, status } from './commands/status.ts';
import { tick } from './commands/tick.ts';
import { suspect, transfer } from './commands/transfer.ts';

const COMMANDS: Readonly<Record<string, CommandRun>> = {
  campaign,
  change,
  cluster,
  configuration,
  crash,
  deliver,
  elect,
  flush,
  given,
  heal,
  'hold-disk': holdDisk,
  join,
  lose,
  messages,
  partition,
  propose,
  read,
  reads,
  restart,
  settle,
  snapshot,
  status,
  suspect,
  tick,
  transfer,
};

/** Runs the paragraphs of one scenario against one group of nodes. */
export function commandRunner(): (commands: readonly ScenarioCommand[]) => string {
  const scenario = new ScenarioCluster();
  return (commands) => commands.map((command) => runCommand(scenario, command)).join('');
}

function runCommand(scenario: ScenarioCluster, command: ScenarioCommand): string {
  const run = COMMANDS[command.name];
  if (run === undefined) throw new Error(`line ${command.line}: no command "${command.name}"`);
  return run(scenario, command);
}
