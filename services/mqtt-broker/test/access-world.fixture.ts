import { pbkdf2Sync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeProblem, resolveConfiguration } from '@robustmq/config';
import {
  type ClientOptions,
  connect,
  type MqttClient,
  MqttClientError,
} from '@robustmq/mqtt-client';
import { createLogger } from '@robustmq/telemetry';
import {
  assembleBroker,
  type Broker,
  brokerSchema,
  type BrokerSettings,
  brokerSettingsFrom,
} from '@robustmq/mqtt-broker';

const MACHINE = { memoryBytes: 2 ** 30, diskBytes: 2 ** 40 };

/** What a broker of these tests is given. A file that is left out is not configured. */
export interface AccessFiles {
  /** Names; each one's password is `name` + `-password`. */
  readonly users?: readonly string[];
  readonly rules?: string;
  /** More lines of the section `[auth]`. */
  readonly auth?: string;
}

/** One broker with its access files, and everybody who connects to it. */
export class AccessWorld {
  readonly broker: Broker;
  readonly #directory: string;
  readonly #clients: MqttClient[] = [];

  private constructor(broker: Broker, directory: string) {
    this.broker = broker;
    this.#directory = directory;
  }

  /** Starts a broker on a port of the system's choice, on loopback, all in memory. */
  static async start(files: AccessFiles): Promise<AccessWorld> {
    const directory = mkdtempSync(join(tmpdir(), 'robustmq-access-'));
    const world = new AccessWorld(assembleFor(directory, files), directory);
    if (files.users !== undefined) world.writeUsers(files.users);
    if (files.rules !== undefined) world.writeRules(files.rules);
    try {
      await world.broker.start();
    } catch (error) {
      rmSync(directory, { recursive: true });
      throw error;
    }
    return world;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.broker.stop();
    rmSync(this.#directory, { recursive: true });
  }

  writeUsers(names: readonly string[], passwordOf = passwordFor): void {
    const lines = names.map((name) => `${name}:${mosquittoHash(passwordOf(name))}`);
    writeFileSync(join(this.#directory, 'users'), lines.join('\n'));
  }

  writeRules(text: string): void {
    writeFileSync(join(this.#directory, 'rules'), text);
  }

  /** Connects as this user with the right password; null: without a user name. */
  async as(username: string | null, options: ClientOptions = {}): Promise<MqttClient> {
    const client = await connect({
      port: this.broker.listeners[0]?.port ?? 0,
      username,
      password: username === null ? null : Buffer.from(passwordFor(username)),
      timeoutMs: 10_000,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** The reason code of a CONNACK that refuses, or 0 when the client got in. */
  async refusalOf(username: string | null, options: ClientOptions = {}): Promise<number> {
    try {
      const client = await this.as(username, options);
      await client.disconnect();
      return 0;
    } catch (error) {
      if (!(error instanceof MqttClientError)) throw error;
      if (error.fault.code !== 'CLIENT_CONNECT_REFUSED') throw error;
      return error.fault.reasonCode;
    }
  }
}

/** Takes the next messages, as `topic payload`. The broker keeps their order. */
export async function take(client: MqttClient, count: number): Promise<readonly string[]> {
  const taken: string[] = [];
  if (count === 0) return taken;
  for await (const message of client.messages()) {
    taken.push(`${message.topic} ${Buffer.from(message.payload).toString()}`);
    if (taken.length === count) break;
  }
  return taken;
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** The fastest hash that the file may hold, in the notation of `mosquitto_passwd`. */
function mosquittoHash(password: string): string {
  const salt = Buffer.from('a salt for tests');
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512');
  return `$7$101$${salt.toString('base64')}$${hash.toString('base64')}`;
}

function passwordFor(name: string): string {
  return `${name}-password`;
}

function assembleFor(directory: string, files: AccessFiles): Broker {
  const text = [
    'http_port = "off"',
    '[network]',
    'tcp_port = 0',
    'websocket_port = "off"',
    '[storage]',
    'storage_type = "memory"',
    `directory = ${JSON.stringify(join(directory, 'data'))}`,
    '[auth]',
    ...(files.users === undefined
      ? []
      : [`password_file = ${JSON.stringify(join(directory, 'users'))}`]),
    ...(files.rules === undefined
      ? []
      : [`rules_file = ${JSON.stringify(join(directory, 'rules'))}`]),
    files.auth ?? '',
  ].join('\n');
  return assembleBroker(settingsOf(text), SILENT);
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
