import { Command, Option } from 'commander';
import type { Component } from '../component.ts';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import { addEngineCommands } from './engine-commands.ts';
import { addPlacementCommands } from './placement-commands.ts';
import { addServerFlags } from '../placement/server-flags.ts';
import type { ServerFlags } from '../placement/server-flags.ts';
import type { OutputFormat } from '../output.ts';

/** `robustctl <component> start|stop|status`. What they do is loaded when one is asked for. */
export function componentCommand(component: Component): Command {
  const command = new Command(component.name)
    .description(component.summary)
    .helpOption('--help', 'show this help');
  if (component.aliases.length > 0) command.aliases(component.aliases);
  const file = `the configuration file (default: ${component.defaultFile} where it exists)`;
  const where = `
The configuration file tells which data directory, and so which process, is meant.`;

  command
    .command('start')
    .description(`start ${component.name} and stay in the foreground`)
    .argument('[file]', file)
    .option('--daemon', 'run in the background; return once it is ready')
    .addHelpText('after', startHelp(component) + EXIT_CODES_HELP)
    .helpOption('--help', 'show this help')
    .action(async (named: string | undefined, options: { readonly daemon?: true }) => {
      const { startComponent } = await import('./start-component.ts');
      await startComponent(component, named, options.daemon === true ? 'background' : 'foreground');
    });
  command
    .command('stop')
    .description(`stop ${component.name} and wait until it has ended`)
    .argument('[file]', file)
    .option('--force', 'kill it when it does not end in time')
    .addHelpText('after', where + EXIT_CODES_HELP)
    .helpOption('--help', 'show this help')
    .action(async (named: string | undefined, options: { readonly force?: true }) => {
      const { stopComponent } = await import('./stop-component.ts');
      await stopComponent(component, named, options.force === true ? 'force' : 'ask');
    });
  if (component.name === 'placement-center') {
    addPlacementStatus(command, component, file);
    addPlacementCommands(command);
    return command;
  }
  if (component.name === 'journal-server') addEngineCommands(command);
  command
    .command('status')
    .description(`show whether ${component.name} runs, and how it is`)
    .argument('[file]', file)
    .addOption(
      new Option('--output <format>', 'how to print it')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addHelpText('after', where + EXIT_CODES_HELP)
    .helpOption('--help', 'show this help')
    .action(async (named: string | undefined, options: { readonly output: OutputFormat }) => {
      const { showStatus } = await import('./show-status.ts');
      await showStatus(component, named, options.output);
    });
  return command;
}

/** Beside the process that a file names, members anywhere can be asked. */
function addPlacementStatus(command: Command, component: Component, file: string): void {
  addServerFlags(command.command('status'))
    .description('show whether the member of a file runs, or with --server how members are')
    .argument('[file]', file)
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (named: string | undefined, flags: ServerFlags) => {
      if (flags.server !== undefined) {
        const { runRemoteStatus } = await import('../placement/run-members.ts');
        await runRemoteStatus(flags);
        return;
      }
      const { showStatus } = await import('./show-status.ts');
      await showStatus(component, named, flags.output);
    });
}

function startHelp(component: Component): string {
  return `
Examples:
  robustctl ${component.name} start
  robustctl ${component.name} start ${component.defaultFile}
  robustctl ${component.name} start --daemon
  ${component.name === 'placement-center' ? 'ROBUST_MQ_SERVER_GRPC_PORT=2228' : 'ROBUST_MQ_SERVER_NETWORK_TCP_PORT=2883'} robustctl ${component.name} start

Signals: SIGTERM and SIGINT drain and stop, a second one exits at once${component.name === 'placement-center' ? '.' : '; SIGHUP reads passwords,\naccess rules and certificates again.'}`;
}
