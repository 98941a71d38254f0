import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeProblem, resolveConfiguration } from '@robustmq/config';
import {
  assembleBroker,
  type Broker,
  brokerSchema,
  type BrokerSettings,
  brokerSettingsFrom,
} from '@robustmq/mqtt-broker';
import type { AuthenticationMethod } from '@robustmq/mqtt-session';
import { createLogger } from '@robustmq/telemetry';
import { afterEach } from 'vitest';
import { type ConnectOptions, Peer } from './peer.fixture.ts';

/** Lines of configuration by section, such as `{ mqtt: 'maximum_qos = 1' }`. */
export interface BrokerOptions {
  readonly mqtt?: string;
  readonly limits?: string;
  readonly auth?: string;
  readonly system?: string;
  readonly subscribe?: string;
  /** Replaces "TCP alone". */
  readonly network?: string;
  readonly methods?: readonly AuthenticationMethod[];
}

const MACHINE = { memoryBytes: 2 ** 30, diskBytes: 2 ** 40 };
/** `segment` runs the same tests with sessions and messages on disk. */
const STORAGE = process.env['ROBUSTMQ_TEST_STORAGE'] ?? 'memory';

/** One broker in this process with real sockets on ports of the system's choice, and its clients. */
export class World {
  readonly #broker: Broker;
  readonly #directory: string;
  readonly #peers: Peer[] = [];

  private constructor(broker: Broker, directory: string) {
    this.#broker = broker;
    this.#directory = directory;
  }

  static async start(options: BrokerOptions): Promise<World> {
    const directory = mkdtempSync(join(tmpdir(), 'robustmq-conformance-'));
    const text = configurationOf(directory, options);
    const broker = assembleBroker(settingsOf(text), SILENT, options.methods ?? []);
    await broker.start();
    return new World(broker, directory);
  }

  get port(): number {
    return this.portOf('tcp');
  }

  portOf(kind: 'tcp' | 'tls' | 'websocket' | 'websocket-tls'): number {
    return this.#broker.listeners.find((listener) => listener.kind === kind)?.port ?? 0;
  }

  /** A stream on which nothing was sent. */
  async stream(version: 3 | 4 | 5): Promise<Peer> {
    const peer = await Peer.open(this.port, version);
    this.#peers.push(peer);
    return peer;
  }

  /** A client whose CONNECT was accepted; its CONNACK is in `connack`. */
  async client(options: ConnectOptions = {}): Promise<Peer> {
    const peer = await this.stream(options.version ?? 5);
    await peer.connect(options);
    return peer;
  }

  /** The value of a metric without labels, as an operator sees it. */
  async metric(name: string): Promise<number> {
    const answer = await fetch(`http://${this.#broker.httpAddress ?? ''}/metrics`);
    const line = (await answer.text()).split('\n').find((each) => each.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no metric is called ${name}`);
    return Number(line.slice(name.length + 1));
  }

  /** Tells everybody and ends, as at SIGTERM. */
  async shutDown(): Promise<void> {
    await this.#broker.stop();
  }

  async stop(): Promise<void> {
    for (const peer of this.#peers) peer.destroy();
    await this.#broker.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const running: World[] = [];

/** Starts a broker that ends with the test. */
export async function startBroker(options: BrokerOptions = {}): Promise<World> {
  const world = await World.start(options);
  running.push(world);
  return world;
}

afterEach(async () => {
  for (const world of running.splice(0)) await world.stop();
});

/** Looks again and again until `check` holds; for what no packet announces. */
export async function eventually(check: () => Promise<boolean> | boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error('it did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function configurationOf(directory: string, options: BrokerOptions): string {
  return [
    'http_port = 0',
    '[network]',
    options.network ?? 'tcp_port = 0\nwebsocket_port = "off"',
    '[storage]',
    `storage_type = "${STORAGE}"`,
    `directory = ${JSON.stringify(join(directory, 'data'))}`,
    `[mqtt]\n${options.mqtt ?? ''}`,
    `[limits]\n${options.limits ?? ''}`,
    `[auth]\n${options.auth ?? ''}`,
    `[subscribe]\n${options.subscribe ?? ''}`,
    `[system]\n${options.system ?? 'sys_topics = false'}`,
  ].join('\n');
}

const SILENT = createLogger({
  level: 'silent',
  format: 'json',
  destination: null,
  segmentBytesMax: 0,
  filesMax: 1,
});

function settingsOf(text: string): BrokerSettings {
  const file = { name: 'test.toml', text };
  const resolved = resolveConfiguration(brokerSchema, {
    file,
    environment: { ROBUST_MQ_SERVER_SYSTEM_WARM_UP_MS: '0' },
  });
  if (!resolved.ok) throw new Error(resolved.fault.map(describeProblem).join('\n'));
  const settings = brokerSettingsFrom(resolved.value, MACHINE, '0.0.0');
  if (!settings.ok) throw new Error(settings.fault.map(describeProblem).join('\n'));
  return settings.value;
}
