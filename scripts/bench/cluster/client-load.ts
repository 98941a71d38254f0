/** Runs in a process of its own: `node client-load.ts subscribes|takeovers JSON`, one line of JSON out. */

import { connect, type MqttClient } from '@robustmq/mqtt-client';

/** Each connection subscribes to filters with a wildcard, one a packet. */
export interface SubscribeLoad {
  readonly brokers: readonly string[];
  readonly connections: number;
  readonly filtersEach: number;
  /** SUBSCRIBE packets of one connection that wait for their SUBACK. */
  readonly window: number;
  readonly isDurable: boolean;
}

/** Clients that connect again at another broker while they are still connected at the one before. */
export interface TakeoverLoad {
  readonly brokers: readonly string[];
  readonly clients: number;
  readonly parallel: number;
  readonly seconds: number;
  readonly isDurable: boolean;
}

export interface ClientFigures {
  readonly done: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
}

const EXPIRY_SECONDS = 300;
const TIMEOUT_MS = 30_000;

class Samples {
  readonly #millis: number[] = [];
  failures = 0;

  async take(work: () => Promise<boolean>): Promise<void> {
    const beganMs = performance.now();
    try {
      if (await work()) this.#millis.push(performance.now() - beganMs);
      else this.failures += 1;
    } catch {
      this.failures += 1;
    }
  }

  figures(seconds: number): ClientFigures {
    const sorted = this.#millis.toSorted((one, other) => one - other);
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    const done = sorted.length;
    return {
      ...{ done, perSecond: done / seconds, failures: this.failures },
      ...{ p50Ms: at(0.5), p99Ms: at(0.99) },
    };
  }
}

function connectTo(broker: string, clientId: string, isDurable: boolean): Promise<MqttClient> {
  const sessionExpiryIntervalSeconds = isDurable ? EXPIRY_SECONDS : 0;
  return connect({
    ...{ port: Number(broker.split(':')[1]), clientId, cleanStart: !isDurable },
    ...{ timeoutMs: TIMEOUT_MS, keepAliveSeconds: 300, onMessage: () => {} },
    properties: { sessionExpiryIntervalSeconds },
  });
}

async function subscribes(load: SubscribeLoad): Promise<ClientFigures> {
  const clients: MqttClient[] = [];
  for (let index = 0; index < load.connections; index += 1) {
    const broker = load.brokers[index % load.brokers.length] ?? '';
    clients.push(await connectTo(broker, `subscribes-${index}`, load.isDurable));
  }
  const samples = new Samples();
  const beganMs = performance.now();
  await Promise.all(clients.map((client, index) => subscribeAll({ client, index, load, samples })));
  const figures = samples.figures((performance.now() - beganMs) / 1000);
  // Whoever started this looks at the memory first.
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  await new Promise((resolve) => process.stdin.once('data', resolve));
  for (const client of clients) client.destroy();
  process.stdin.destroy();
  return figures;
}

async function subscribeAll({
  client,
  index,
  load,
  samples,
}: {
  readonly client: MqttClient;
  readonly index: number;
  readonly load: SubscribeLoad;
  readonly samples: Samples;
}): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < load.filtersEach) {
      const filter = `fill/${index}/${next}/+/state`;
      next += 1;
      await samples.take(async () => {
        const [code = 0x80] = await client.subscribe([{ filter, qos: 1 }]);
        return code < 0x80;
      });
    }
  };
  await Promise.all(Array.from({ length: load.window }, run));
}

async function takeovers(load: TakeoverLoad): Promise<ClientFigures> {
  const clients: MqttClient[] = [];
  const brokerOf = (turn: number): string => load.brokers[turn % load.brokers.length] ?? '';
  for (let index = 0; index < load.clients; index += 1) {
    const client = await connectTo(brokerOf(index), `takeover-${index}`, load.isDurable);
    await client.subscribe([{ filter: `takeover/${index}/+`, qos: 1 }]);
    clients.push(client);
  }
  const turns = clients.map((_, index) => index);
  const free = clients.map((_, index) => index);
  const samples = new Samples();
  const beganMs = performance.now();
  const endMs = beganMs + load.seconds * 1000;
  const run = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const index = free.shift();
      if (index === undefined) return;
      await samples.take(async () => {
        const turn = (turns[index] ?? 0) + 1;
        turns[index] = turn;
        const before = clients[index];
        const client = await connectTo(brokerOf(turn), `takeover-${index}`, load.isDurable);
        clients[index] = client;
        await before?.closed;
        return client.connack.sessionPresent === load.isDurable;
      });
      free.push(index);
    }
  };
  await Promise.all(Array.from({ length: load.parallel }, run));
  const figures = samples.figures((performance.now() - beganMs) / 1000);
  for (const client of clients) client.destroy();
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return figures;
}

const [mode, text = '{}'] = process.argv.slice(2);
if (mode === 'subscribes') await subscribes(JSON.parse(text) as SubscribeLoad);
else await takeovers(JSON.parse(text) as TakeoverLoad);
