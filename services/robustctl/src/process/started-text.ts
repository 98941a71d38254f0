import type { Component } from '../component.ts';
import type { LoadedBroker } from '../configuration/broker-configuration.ts';
import { HEALTH_PATH } from './health.ts';
import { httpUrl } from './http-url.ts';
import type { ProcessRecord } from './process-file.ts';

const SCHEMES: Readonly<Record<string, string>> = {
  tcp: 'mqtt',
  tls: 'mqtts',
  websocket: 'ws',
  'websocket-tls': 'wss',
};

/** What a started broker says: where it listens, and what to try next. */
export function startedText(
  component: Component,
  { file, settings }: LoadedBroker,
  started: Pick<ProcessRecord, 'listeners' | 'httpAddress'>,
): string {
  const paths = new Map(
    settings.listeners.map((listener) => [listener.name, listener.websocket?.path ?? '']),
  );
  const lines = [
    `RobustMQ ${settings.version}: ${component.name} is ready (${file ?? 'no configuration file: defaults'})`,
    ...started.listeners.map(
      ({ name, kind, address, port }) =>
        `  ${name.padEnd(14)} ${SCHEMES[kind] ?? kind}://${authority(address, port)}${paths.get(name) ?? ''}`,
    ),
  ];
  if (started.httpAddress !== null) {
    lines.push(`  ${'http'.padEnd(14)} ${httpUrl(started.httpAddress)}${HEALTH_PATH}`);
  }
  lines.push(`  ${'data'.padEnd(14)} ${dataText(settings)}`, ...nextSteps(started));
  return `${lines.join('\n')}\n`;
}

function dataText({ storage }: LoadedBroker['settings']): string {
  if (storage.kind === 'memory') return 'in memory only: nothing survives a restart';
  const when = storage.acknowledge === 'sync' ? 'after' : 'BEFORE';
  return `${storage.directory} (acknowledged ${when} ${writeText(storage)})`;
}

/** What an acknowledgement waits for; the state of the broker itself is always in the directory. */
function writeText({ kind, media }: LoadedBroker['settings']['storage']): string {
  switch (kind) {
    case 'jetstream':
      return `NATS at ${media.jetstream.servers.join(', ')} has it`;
    case 'postgres':
      return `the commit in PostgreSQL at ${media.postgres.host}`;
    default:
      return 'the flush to disk';
  }
}

function nextSteps({ listeners }: Pick<ProcessRecord, 'listeners'>): string[] {
  // As the launcher was called: in a checkout `robustctl` is not on the path.
  const program = process.env['ROBUSTCTL_COMMAND'] ?? 'robustctl';
  const plain = listeners.find((listener) => listener.kind === 'tcp');
  if (plain === undefined) return [];
  const host = reachable(plain.address);
  const where = `-h ${host} -p ${String(plain.port)}`;
  return [
    'Try, in two other terminals:',
    `  ${program} sub ${where} -t 'hello/#' -v`,
    `  ${program} pub ${where} -t hello/world -m 'it works' -q 1`,
    'or with any other client:',
    `  mosquitto_sub ${where} -t 'hello/#' -v`,
    `  mosquitto_pub ${where} -t hello/world -m 'it works' -q 1`,
  ];
}

function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

function authority(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;
}
