import { Command, Option } from 'commander';
import { wholeNumber } from '../mqtt/client-flags.ts';
import type { OutputFormat } from '../output.ts';

/** The flags of every command that talks to a placement center, as commander gives them. */
export interface ServerFlags {
  readonly server?: readonly string[];
  readonly output: OutputFormat;
  readonly timeout: number;
  readonly tls?: true;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly tokenFile?: string;
}

/** Where a placement center is when nobody says so. */
export const SERVER_DEFAULT = '127.0.0.1:1228';

/** Adds the flags to a command. */
export function addServerFlags(command: Command): Command {
  return command
    .helpOption('--help', 'show this help')
    .option(
      '-s, --server <host:port>',
      `a member of the placement center; several, with commas or given again, when one may be down (default: ${SERVER_DEFAULT})`,
      collectServers,
    )
    .addOption(
      new Option('--output <format>', 'how to print it')
        .choices(['table', 'json'])
        .default('table'),
    )
    .option('--timeout <seconds>', 'how long to wait for an answer', wholeNumber(1, 3600), 10)
    .option('--tls', 'use TLS')
    .option('--tls-ca <file>', 'trust these authorities (PEM); implies --tls')
    .option('--tls-cert <file>', 'show this certificate (PEM); needs --tls-key; implies --tls')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--tls-server-name <name>', 'the name in the server’s certificate, if not the host')
    .option(
      '--token-file <file>',
      'a file whose first line is the cluster token (default: ROBUSTMQ_CLUSTER_TOKEN)',
    );
}

function collectServers(text: string, before: readonly string[] | undefined): readonly string[] {
  const named = text.split(',').map((part) => part.trim());
  return [...(before ?? []), ...named.filter((part) => part !== '')];
}
