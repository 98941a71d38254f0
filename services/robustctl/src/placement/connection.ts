import { readFileSync } from 'node:fs';
import { isHostAndPort } from '@robustmq/config';
import type { CallOptions } from '@robustmq/placement';
import type { ChannelTls } from '@robustmq/rpc';
import { CommandError, ExitCode } from '../exit-code.ts';
import { SERVER_DEFAULT } from './server-flags.ts';
import type { ServerFlags } from './server-flags.ts';

/** How to reach a placement center, from the flags. */
export interface ServerConnection {
  readonly servers: readonly string[];
  readonly tls: ChannelTls | null;
  readonly token: string | null;
  readonly call: CallOptions;
}

/** @throws CommandError for addresses that are none, files that can't be read, a file without a token */
export function connectionFrom(flags: ServerFlags): ServerConnection {
  const servers = flags.server ?? [SERVER_DEFAULT];
  for (const server of servers) assertAddress(server);
  return {
    servers,
    tls: tlsFrom(flags),
    token: tokenFrom(flags),
    call: { deadlineMs: flags.timeout * 1000, signal: null },
  };
}

/** @throws CommandError `usage` */
export function assertAddress(address: string): void {
  if (isHostAndPort(address)) return;
  throw new CommandError(
    ExitCode.usage,
    `"${address}" is no address of a member: expected host:port, such as ${SERVER_DEFAULT}`,
  );
}

function tlsFrom(flags: ServerFlags): ChannelTls | null {
  const { tls, tlsCa, tlsCert, tlsKey, tlsServerName } = flags;
  if (tls === undefined && tlsCa === undefined && tlsCert === undefined) return null;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new CommandError(ExitCode.usage, '--tls-cert and --tls-key belong together');
  }
  return {
    authority: tlsCa === undefined ? null : read(tlsCa),
    own:
      tlsCert === undefined || tlsKey === undefined
        ? null
        : { certificate: read(tlsCert), key: read(tlsKey) },
    serverName: tlsServerName ?? null,
  };
}

function tokenFrom({ tokenFile }: ServerFlags): string | null {
  if (tokenFile === undefined) return process.env['ROBUSTMQ_CLUSTER_TOKEN'] ?? null;
  const [line = ''] = read(tokenFile).toString('utf8').split(/\r?\n/);
  if (line !== '') return line;
  throw new CommandError(
    ExitCode.usage,
    `the first line of ${tokenFile} is empty: no token is there`,
  );
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(ExitCode.inputOutput, `${path} can't be read: ${reason}`, {
      cause: error,
    });
  }
}
