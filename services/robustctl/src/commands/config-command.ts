import { Command, Option } from 'commander';
import { EXIT_CODES_HELP } from '../exit-code.ts';
import type { OutputFormat } from '../output.ts';

interface ConfigFlags {
  readonly component?: string;
  readonly output: OutputFormat;
}

/** `robustctl config check|explain|template`. */
export function configCommand(): Command {
  const command = new Command('config')
    .description('check configuration files, and tell what keys mean')
    .helpOption('--help', 'show this help');
  shared(command.command('check'))
    .description('check a file and the environment, and print what holds and where it comes from')
    .argument('[file]', 'the file (default: config/standalone.toml where it exists)')
    .addHelpText('after', CHECK_HELP + EXIT_CODES_HELP)
    .action(async (file: string | undefined, flags: ConfigFlags) => {
      const { checkConfiguration } = await import('../configuration/check.ts');
      checkConfiguration(file, flags.component ?? null, flags.output);
    });
  shared(command.command('explain'))
    .description('tell what a key, or all keys of a section, mean')
    .argument('[key]', 'such as network.tcp_port, or network; all when left out')
    .addHelpText('after', EXPLAIN_HELP + EXIT_CODES_HELP)
    .action(async (key: string | undefined, flags: ConfigFlags) => {
      const { explainConfiguration } = await import('../configuration/explain.ts');
      explainConfiguration(key ?? '', flags.component ?? 'standalone', flags.output);
    });
  command
    .command('template')
    .description('print the annotated file of a component: every key with its meaning')
    .argument(
      '[component]',
      'standalone, broker-mqtt, placement-center or journal-server',
      'standalone',
    )
    .helpOption('--help', 'show this help')
    .action(async (name: string) => {
      const { printTemplate } = await import('../configuration/explain.ts');
      printTemplate(name);
    });
  return command;
}

function shared(command: Command): Command {
  return command
    .helpOption('--help', 'show this help')
    .option('--component <name>', 'whose keys (default: as the file is named, else standalone)')
    .addOption(
      new Option('--output <format>', 'how to print it')
        .choices(['table', 'json'])
        .default('table'),
    );
}

const CHECK_HELP = `
Examples:
  robustctl config check
  robustctl config check config/cluster/mqtt-server/node-1.toml
  robustctl config check --output json | jq '.settings[] | select(.origin.kind != "default")'`;

const EXPLAIN_HELP = `
Examples:
  robustctl config explain network.tcp_port
  robustctl config explain storage`;
