/** Three nodes of RabbitMQ whose durable MQTT sessions are quorum queues. */

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, ServiceProcess } from '@robustmq/campaign';
import { type BrokerGroup, listensOn, withDescendants } from './broker-group.ts';

const RABBITMQ_SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const NODES = [0, 1, 2];
const START_LIMIT_MS = 90_000;
/** The system has one IPv4 loopback name for all nodes. */
const HOST = 'localhost';

/** Null when it can be started here; else the reason. */
export function whyNoRabbitmq(): string | null {
  if (existsSync(RABBITMQ_SERVER)) return null;
  return `${RABBITMQ_SERVER} is missing: apt-get install rabbitmq-server`;
}

/** @param folder  exists and is empty */
export async function startRabbitmqBrokers(folder: string): Promise<BrokerGroup> {
  const ports = await freePorts(1 + NODES.length * 3);
  const [mapperPort = 0, ...nodePorts] = ports;
  const portOf = (kind: number, node: number): number => nodePorts[kind * NODES.length + node] ?? 0;
  writeFileSync(join(folder, '.erlang.cookie'), 'bench', { mode: 0o400 });
  const servers = NODES.map((node) => {
    const place = join(folder, `n${node}`);
    mkdirSync(place);
    writeFileSync(
      join(place, 'rabbitmq.conf'),
      configurationOf({ amqp: portOf(0, node), mqtt: portOf(1, node) }),
    );
    writeFileSync(join(place, 'plugins'), '[rabbitmq_mqtt].');
    return new ServiceProcess({
      words: [RABBITMQ_SERVER],
      folder: place,
      environment: {
        ...environmentOf(folder, place),
        RABBITMQ_NODENAME: nameOf(node),
        RABBITMQ_DIST_PORT: String(portOf(2, node)),
        ERL_EPMD_PORT: String(mapperPort),
      },
    });
  });
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.end()));
    endPortMapper(mapperPort);
  };
  try {
    // The first founds the cluster: nodes that start at once may found several.
    for (const [node, server] of servers.entries()) {
      server.start();
      await listensOn(portOf(1, node), START_LIMIT_MS);
    }
  } catch (error) {
    await stop();
    throw new Error(servers.map((each) => each.output.slice(-1000)).join('\n'), { cause: error });
  }
  const brokerPids = servers.map(({ pid }) => withDescendants(pid ?? 0));
  return {
    brokers: NODES.map((node) => `127.0.0.1:${portOf(1, node)}`),
    ...{ brokerPids, pids: brokerPids.flat(), stop },
  };
}

function nameOf(node: number): string {
  return `bench${node}@${HOST}`;
}

function configurationOf(ports: { readonly amqp: number; readonly mqtt: number }): string {
  return [
    `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
    `mqtt.listeners.tcp.1 = 127.0.0.1:${ports.mqtt}`,
    'mqtt.allow_anonymous = true',
    'mqtt.default_user = guest',
    'mqtt.default_pass = guest',
    'mqtt.prefetch = 1000',
    'mqtt.durable_queue_type = quorum',
    'loopback_users = none',
    'log.console.level = error',
    'log.file = false',
    'disk_free_limit.absolute = 100MB',
    'cluster_formation.peer_discovery_backend = classic_config',
    ...NODES.map((node) => `cluster_formation.classic_config.nodes.${node + 1} = ${nameOf(node)}`),
    '',
  ].join('\n');
}

function environmentOf(folder: string, place: string): Readonly<Record<string, string>> {
  return {
    HOME: folder,
    RABBITMQ_CONFIG_FILE: join(place, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(place, 'plugins'),
    RABBITMQ_MNESIA_BASE: join(place, 'data'),
    RABBITMQ_LOG_BASE: place,
    RABBITMQ_LOGS: '-',
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // Schedulers that spin would take the cores from the other nodes.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
  };
}

/** The port mapper of Erlang goes into the background by itself; ours is the one with our port. */
function endPortMapper(port: number): void {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readFileSync(`/proc/${name}/comm`, 'utf8').trim() !== 'epmd') continue;
      const variables = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      if (variables.includes(`ERL_EPMD_PORT=${port}`)) process.kill(Number(name), 'SIGTERM');
    } catch {
      // It has ended meanwhile.
    }
  }
}
