/** Clients that we did not write: Eclipse Mosquitto's commands, where they are installed, and MQTT.js. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect as openClient, type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { eventually, startBroker, type World } from './conformance.fixture.ts';

const DEADLINE_SECONDS = 20;
const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'robustmq-stock-clients-'));
const certificate = join(directory, 'server.crt');
const key = join(directory, 'server.key');
const hasOpenssl = answers('openssl', ['version']) && makeCertificate();
const hasMosquitto = answers('mosquitto_pub', ['--help']);
if (!hasOpenssl) process.stderr.write('WARNING: no openssl: TLS with stock clients is SKIPPED\n');
if (!hasMosquitto) process.stderr.write('WARNING: no mosquitto_pub: its tests are SKIPPED\n');

const children: ChildProcess[] = [];
const clients: MqttClient[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const client of clients.splice(0)) await client.endAsync(true);
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<World> {
  const tls = `tcps_port = 0\nwebsockets_port = 0\ntls_cert = "${certificate}"\ntls_key = "${key}"`;
  const plain = 'tcp_port = 0\nwebsocket_port = 0';
  return startBroker({ network: hasOpenssl ? `${plain}\n${tls}` : plain });
}

const LEVELS = { mqttv31: [], mqttv311: [], mqttv5: ['-x', '3600'] } as const;

for (const transport of ['tcp', 'tls'] as const) {
  for (const level of ['mqttv31', 'mqttv311', 'mqttv5'] as const) {
    const isPossible = hasMosquitto && (transport === 'tcp' || hasOpenssl);
    describe.skipIf(!isPossible)(`mosquitto by ${level} over ${transport}`, () => {
      function common(world: World): readonly string[] {
        const tls = ['-h', 'localhost', '--cafile', certificate];
        return [
          ...(transport === 'tls' ? tls : ['-h', '127.0.0.1']),
          ...['-p', `${world.portOf(transport)}`, '-V', level],
        ];
      }

      async function publish(world: World, ...words: readonly string[]): Promise<void> {
        await run('mosquitto_pub', [...common(world), ...words]);
      }

      /** Starts a subscriber that ends by itself; its output settles then. */
      function subscribe(world: World, ...words: readonly string[]): Promise<string> {
        const options = [
          ...common(world),
          '-W',
          `${DEADLINE_SECONDS}`,
          '-F',
          '%t %q %r %p',
          ...words,
        ];
        const child = spawn('mosquitto_sub', options);
        children.push(child);
        let output = '';
        for (const stream of [child.stdout, child.stderr]) {
          stream.on('data', (chunk: Buffer) => {
            output += chunk.toString();
          });
        }
        return new Promise((resolve) => child.once('close', () => resolve(output)));
      }

      test('passes messages of QoS 0, 1 and 2', async () => {
        const world = await start();
        const seen = subscribe(world, '-t', 'a/+', '-q', '2', '-C', '3');
        await subscriptions(world, 1);
        for (const qos of ['0', '1', '2'])
          await publish(world, '-t', 'a/b', '-m', `m${qos}`, '-q', qos);
        expect(await seen).toBe('a/b 0 0 m0\na/b 1 0 m1\na/b 2 0 m2\n');
      });

      test('retains, and removes what was retained', async () => {
        const world = await start();
        await publish(world, '-t', 'r', '-m', 'kept', '-q', '1', '-r');
        expect(await subscribe(world, '-t', 'r', '-C', '1')).toBe('r 0 1 kept\n');
        await publish(world, '-t', 'r', '-n', '-r');
        const seen = subscribe(world, '-t', 'r', '-C', '1');
        await subscriptions(world, 1);
        await publish(world, '-t', 'r', '-m', 'live');
        expect(await seen).toBe('r 0 0 live\n');
      });

      test('publishes the will of a process that was killed', async () => {
        const world = await start();
        const seen = subscribe(world, '-t', 'w', '-q', '1', '-C', '1');
        await subscriptions(world, 1);
        const will = ['--will-topic', 'w', '--will-payload', 'gone', '--will-qos', '1'];
        void subscribe(world, '-t', 'other', ...will);
        await subscriptions(world, 2);
        children.at(-1)?.kill('SIGKILL');
        expect(await seen).toBe('w 1 0 gone\n');
      });

      test('keeps a session and what it missed', async () => {
        const world = await start();
        const session = ['-i', 'keeper', '-c', '-q', '2', '-t', 's', ...LEVELS[level]];
        await subscribe(world, ...session, '-E');
        for (const payload of ['1', '2', '3'])
          await publish(world, '-t', 's', '-m', payload, '-q', '2');
        expect(await subscribe(world, ...session, '-C', '3')).toBe('s 2 0 1\ns 2 0 2\ns 2 0 3\n');
      });

      test('shares a subscription', async () => {
        const world = await start();
        const members = [1, 2].map(() =>
          subscribe(world, '-t', '$share/g/a', '-q', '1', '-C', '2'),
        );
        await subscriptions(world, 2);
        for (const payload of ['1', '2', '3', '4'])
          await publish(world, '-t', 'a', '-m', payload, '-q', '1');
        const lines = (await Promise.all(members)).flatMap((output) => output.trim().split('\n'));
        expect(lines.sort()).toEqual(['a 1 0 1', 'a 1 0 2', 'a 1 0 3', 'a 1 0 4']);
      });
    });
  }
}

const SCHEMES = { tcp: 'mqtt', tls: 'mqtts', websocket: 'ws', 'websocket-tls': 'wss' } as const;

for (const transport of ['tcp', 'tls', 'websocket', 'websocket-tls'] as const) {
  for (const version of [3, 4, 5] as const) {
    const isPossible = hasOpenssl || transport === 'tcp' || transport === 'websocket';
    describe.skipIf(!isPossible)(`MQTT.js at level ${version} over ${transport}`, () => {
      /** Begins to connect; listeners that are added at once miss nothing. */
      function open(world: World, options: IClientOptions): MqttClient {
        const secure = transport === 'tls' || transport === 'websocket-tls';
        const path = transport.startsWith('websocket') ? '/mqtt' : '';
        const url = `${SCHEMES[transport]}://localhost:${world.portOf(transport)}${path}`;
        const client = openClient(url, {
          protocolVersion: version,
          protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
          reconnectPeriod: 0,
          ...(secure ? { ca: [readFileSync(certificate)] } : {}),
          ...options,
        });
        clients.push(client);
        return client;
      }

      async function connect(world: World, options: IClientOptions = {}): Promise<MqttClient> {
        const client = open(world, options);
        await new Promise<void>((resolve, reject) => {
          client.once('connect', () => resolve());
          client.once('error', reject);
        });
        return client;
      }

      test('passes messages of QoS 0, 1 and 2, small and large', async () => {
        const world = await start();
        const subscriber = await connect(world);
        const seen = collect(subscriber);
        await subscriber.subscribeAsync('a/#', { qos: 2 });
        const publisher = await connect(world);
        const large = 'x'.repeat(300_000);
        for (const qos of [0, 1, 2] as const) {
          for (const payload of ['small', large])
            await publisher.publishAsync('a/b', payload, { qos });
        }
        await eventually(() => seen.length === 6);
        expect(seen).toEqual(
          [0, 1, 2].flatMap((qos) => [`a/b ${qos} false small`, `a/b ${qos} false ${large}`]),
        );
      });

      test('retains and shares', async () => {
        const world = await start();
        const publisher = await connect(world);
        await publisher.publishAsync('r', 'kept', { qos: 1, retain: true });
        const members = [await connect(world), await connect(world)];
        const seen = members.map(collect);
        for (const member of members) await member.subscribeAsync(['r', '$share/g/a'], { qos: 1 });
        for (const payload of ['1', '2', '3', '4'])
          await publisher.publishAsync('a', payload, { qos: 1 });
        await eventually(() => seen.flat().length === 6);
        expect(seen.flat().sort()).toEqual([
          ...[1, 2, 3, 4].map((payload) => `a 1 false ${payload}`),
          ...['r 1 true kept', 'r 1 true kept'],
        ]);
      });

      test('keeps a session, and publishes a will', async () => {
        const world = await start();
        const witness = await connect(world);
        const wills = collect(witness);
        await witness.subscribeAsync('w', { qos: 1 });
        const session: IClientOptions = {
          clientId: 'keeper',
          clean: false,
          will: { topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: false },
          ...(version === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
        };
        const first = await connect(world, session);
        await first.subscribeAsync('s', { qos: 2 });
        first.stream.destroy();
        await eventually(() => wills.length === 1);
        for (const qos of [1, 2] as const) await witness.publishAsync('s', `${qos}`, { qos });
        const seen = collect(open(world, session));
        await eventually(() => seen.length === 2);
        expect(seen).toEqual(['s 1 false 1', 's 2 false 2']);
      });
    });
  }
}

function collect(client: MqttClient): string[] {
  const seen: string[] = [];
  client.on('message', (topic, payload, packet) => {
    seen.push(`${topic} ${packet.qos} ${packet.retain} ${payload.toString()}`);
  });
  return seen;
}

async function subscriptions(world: World, count: number): Promise<void> {
  await eventually(async () => (await world.metric('robust_mqtt_subscriptions')) === count);
}

function answers(command: string, words: readonly string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

function makeCertificate(): boolean {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
      ...['-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  );
  return true;
}
