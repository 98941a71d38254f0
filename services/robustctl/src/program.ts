import { Command } from 'commander';
import { clientCommand, nodeCommand } from './commands/broker-commands.ts';
import {
  clusterCommand,
  routeCommand,
  sessionCommand,
  subscriptionCommand,
  topicCommand,
} from './commands/cluster-commands.ts';
import { componentCommand } from './commands/component-command.ts';
import { configCommand } from './commands/config-command.ts';
import { kvCommand } from './commands/kv-command.ts';
import { passwdCommand } from './commands/passwd-command.ts';
import { pubCommand } from './commands/pub-command.ts';
import { subCommand } from './commands/sub-command.ts';
import { versionCommand } from './commands/version-command.ts';
import { COMPONENTS } from './component.ts';
import { EXIT_CODES_HELP } from './exit-code.ts';

/** The command line. Commands load what they need when they run, so that help is quick. */
export function createProgram(): Command {
  const program = new Command('robustctl')
    .description('RobustMQ for TypeScript: start, stop, inspect, publish, subscribe')
    .helpOption('--help', 'show help; `robustctl COMMAND --help` shows that of a command')
    .showHelpAfterError('(`--help` shows what is possible)')
    .addHelpText('after', EXAMPLES + EXIT_CODES_HELP);
  for (const component of COMPONENTS) program.addCommand(componentCommand(component));
  for (const command of [
    clientCommand(),
    clusterCommand(),
    configCommand(),
    kvCommand(),
    nodeCommand(),
    passwdCommand(),
    pubCommand(),
    routeCommand(),
    sessionCommand(),
    subCommand(),
    subscriptionCommand(),
    topicCommand(),
    versionCommand(),
  ]) {
    program.addCommand(command);
  }
  exitOverride(program);
  return program;
}

/** Commander reports instead of ending the process, so that {@link main} chooses the exit code. */
function exitOverride(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) exitOverride(child);
}

const EXAMPLES = `
Examples:
  robustctl standalone start                      a durable broker, on this machine only
  robustctl standalone start --daemon             the same in the background
  robustctl sub -t 'hello/#' -v                   print what is published
  robustctl pub -t hello/world -m 'it works'      publish
  robustctl config check config/standalone.toml   check a file, and show what holds
  robustctl passwd passwords.txt alice            add a user
  robustctl placement-center start node-1.toml    a member of a cluster's placement center
  robustctl place members                         who belongs to it
  robustctl kv get --prefix /                     what it keeps
  robustctl node drain 2                          empty a broker before it is stopped`;
