import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describeProblem, resolveConfiguration } from '@robustmq/config';
import {
  assembleBroker,
  type Broker,
  brokerSchema,
  type BrokerSettings,
  brokerSettingsFrom,
} from '@robustmq/mqtt-broker';
import { createLoggerTo } from '@robustmq/telemetry';
import { afterEach } from 'vitest';
import { type ConnectOptions, Peer } from './peer.fixture.ts';

/** Lines of configuration by section. */
export interface DurableOptions {
  readonly storage?: string;
  readonly limits?: string;
  readonly mqtt?: string;
  /** Folder for the data directory, such as a small disk. */
  readonly within?: string;
}

/** What a restart found. */
export interface Restored {
  readonly sessions: number;
  readonly retained: number;
  readonly recordsReplayed: number;
}

const MACHINE = { memoryBytes: 2 ** 30, diskBytes: 2 ** 40 };

/** A broker on segment files that is stopped, or dies, and comes back with what the disk has. */
export class DurableWorld {
  readonly #folder: string;
  readonly #options: DurableOptions;
  readonly #peers: Peer[] = [];
  readonly #brokers: Broker[] = [];
  #lines: string[] = [];
  #broker: Broker | null = null;
  #lives = 0;

  private constructor(options: DurableOptions) {
    this.#folder = mkdtempSync(join(options.within ?? tmpdir(), 'robustmq-durable-'));
    this.#options = options;
  }

  static async start(options: DurableOptions): Promise<DurableWorld> {
    const world = new DurableWorld(options);
    await world.#start();
    return world;
  }

  get port(): number {
    return this.#broker?.listeners[0]?.port ?? 0;
  }

  /** A client whose CONNECT was accepted. */
  async client(options: ConnectOptions = {}): Promise<Peer> {
    const peer = await Peer.open(this.port, options.version ?? 5);
    this.#peers.push(peer);
    await peer.connect(options);
    return peer;
  }

  /** Stopped as at SIGTERM, and started again. */
  async restart(): Promise<void> {
    await this.#broker?.stop();
    await this.#start();
  }

  /**
   * The disk as it is in this moment, and nothing else, is what the next broker finds. What the old
   * one says from now on reaches nobody.
   */
  cut(): void {
    const from = this.#dataDirectory;
    this.#lives += 1;
    // The lock names this process, which lives on.
    cpSync(from, this.#dataDirectory, {
      recursive: true,
      filter: (path) => basename(path) !== 'LOCK',
    });
    for (const peer of this.#peers.splice(0)) peer.destroy();
  }

  /** The broker dies without a word, and another one starts. */
  async crash(): Promise<void> {
    this.cut();
    await this.#start();
  }

  /** After `cut`: the next broker. */
  async startAgain(): Promise<void> {
    await this.#start();
  }

  async metric(name: string): Promise<number> {
    const answer = await fetch(`http://${this.#broker?.httpAddress ?? ''}/metrics`);
    const line = (await answer.text()).split('\n').find((each) => each.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no metric is called ${name}`);
    return Number(line.slice(name.length + 1));
  }

  /** What the last start told about the state it found. */
  get restored(): Restored {
    const line = this.#lines.findLast((each) => each.includes('"state restored"'));
    if (line === undefined) throw new Error('nothing was restored');
    return JSON.parse(line) as Restored;
  }

  /** Waits until a checkpoint that begins from now on is written. */
  async checkpoint(): Promise<void> {
    const before = this.#stateBytes;
    const deadlineMs = performance.now() + 20_000;
    while (this.#stateBytes === before) {
      if (performance.now() > deadlineMs) throw new Error('no checkpoint came');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  get #stateBytes(): number {
    const directory = join(this.#dataDirectory, 'state');
    return readdirSync(directory)
      .map((name) => statSync(join(directory, name)).size)
      .reduce((sum, size) => sum + size, 0);
  }

  async end(): Promise<void> {
    for (const peer of this.#peers) peer.destroy();
    await Promise.all(this.#brokers.map((broker) => broker.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #dataDirectory(): string {
    return join(this.#folder, `data-${this.#lives}`);
  }

  async #start(): Promise<void> {
    this.#lines = [];
    const lines = this.#lines;
    const target = {
      write: (line: string): void => void lines.push(line),
      flushSync: (): void => {},
      close: async (): Promise<void> => {},
    };
    const logger = createLoggerTo(target, { level: 'debug', format: 'json' }, 'file');
    const broker = assembleBroker(settingsOf(this.#dataDirectory, this.#options), logger);
    await broker.start();
    this.#broker = broker;
    this.#brokers.push(broker);
  }
}

const running: DurableWorld[] = [];

/** Starts a broker that ends with the test. */
export async function startDurable(options: DurableOptions = {}): Promise<DurableWorld> {
  const world = await DurableWorld.start(options);
  running.push(world);
  return world;
}

afterEach(async () => {
  for (const world of running.splice(0)) await world.end();
});

function settingsOf(directory: string, options: DurableOptions): BrokerSettings {
  const text = [
    'http_port = 0',
    '[network]\ntcp_port = 0\nwebsocket_port = "off"',
    `[storage]\ndirectory = ${JSON.stringify(directory)}\n${options.storage ?? ''}`,
    `[mqtt]\n${options.mqtt ?? ''}`,
    `[limits]\n${options.limits ?? ''}`,
    '[system]\nsys_topics = false',
  ].join('\n');
  const resolved = resolveConfiguration(brokerSchema, {
    file: { name: 'test.toml', text },
    environment: { ROBUST_MQ_SERVER_SYSTEM_WARM_UP_MS: '0' },
  });
  if (!resolved.ok) throw new Error(resolved.fault.map(describeProblem).join('\n'));
  const settings = brokerSettingsFrom(resolved.value, MACHINE, '0.0.0');
  if (!settings.ok) throw new Error(settings.fault.map(describeProblem).join('\n'));
  return settings.value;
}
