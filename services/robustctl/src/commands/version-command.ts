import { Command, Option } from 'commander';
import { print } from '../output.ts';
import type { OutputFormat } from '../output.ts';
import { programVersion } from '../version.ts';

/** `robustctl version`. */
export function versionCommand(): Command {
  return new Command('version')
    .description('show the version of this program and of what it runs on')
    .helpOption('--help', 'show this help')
    .addOption(
      new Option('--output <format>', 'how to print it')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action((options: { readonly output: OutputFormat }) => {
      const version = programVersion();
      const { node } = process.versions;
      if (options.output === 'json')
        print(
          JSON.stringify({ version, node, platform: process.platform, architecture: process.arch }),
        );
      else print(`robustctl ${version} (Node.js ${node}, ${process.platform} ${process.arch})`);
    });
}
