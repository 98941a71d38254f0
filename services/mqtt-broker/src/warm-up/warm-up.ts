import type { Qos } from '@robustmq/mqtt-codec';
import {
  createBrokerCounters,
  createLoggerTo,
  createMetricsRegistry,
  zeroGaugeSource,
} from '@robustmq/telemetry';
import type { BrokerContext } from '../broker-context.ts';
import { ClientConnection } from '../connection/client-connection.ts';
import { type OpenedStorage, openOnFilesInMemory } from '../durable/open-storage.ts';
import { makeContext } from '../make-context.ts';
import { openAccess } from '../open-access.ts';
import { SysPublisher } from '../session/sys-publisher.ts';
import type { BrokerSettings } from '../settings.ts';
import { publishesOf, WarmUpClient } from './warm-up-client.ts';

/** Messages that one publisher has under way. */
const MESSAGES = 64;
const PAIRS = 4;
/** A round waits this many turns of the event loop at most for what it expects. */
const TURNS_MAX = 200;
/**
 * Brokers one after the other: what the engine took for constant in the first one, such as its functions
 * and the kinds of its arrays when they are full, is another in the next, and so in the one that serves.
 */
const LIVES = 3;
/** On a machine that is busy the warm-up ends all the same. */
const WAIT_FACTOR = 4;
const PAYLOAD: Uint8Array = new Uint8Array(16).fill(0x77);

/**
 * Runs the broker's code for a while before it serves: connects, subscriptions, messages of each QoS,
 * retained messages, a session that comes back. The engine compiles what runs often, and its first
 * guesses are the slow ones: without this they fall to the first clients after a start, who are many
 * when a node has just been restarted.
 *
 * `warmUpMs` is processor time, of all threads: what is compiled counts, not how busy the machine is.
 *
 * It is a broker of its own, on files in memory and without a socket, and shares nothing with the one
 * that serves: no counter, no log line, no session, no byte on disk.
 */
export async function warmUp(settings: BrokerSettings): Promise<void> {
  const { warmUpMs } = settings;
  if (warmUpMs === 0) return;
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const share = (): number => {
    const { user, system } = process.cpuUsage(startedCpu);
    const waitedMs = performance.now() - startedMs;
    return Math.max((user + system) / 1000, waitedMs / WAIT_FACTOR) / warmUpMs;
  };
  for (let life = 1; life <= LIVES; life += 1) {
    await liveUntil(settings, () => share() >= life / LIVES);
  }
}

/** One broker, from its start to its end; at least one round. */
async function liveUntil(settings: BrokerSettings, isOver: () => boolean): Promise<void> {
  const logger = createLoggerTo(NOWHERE, { level: 'silent', format: 'json' }, 'file');
  const open = settingsFor(settings);
  const counters = createBrokerCounters();
  const { histograms } = createMetricsRegistry(counters, zeroGaugeSource);
  const access = (await openAccess(open.access)).control;
  const parts = { settings: open, logger, counters, histograms, access, methods: [] };
  const context = makeContext(parts);
  context.presence = new SysPublisher(context, zeroGaugeSource);
  const storage = await openOnFilesInMemory(context);
  try {
    const rounds = new Rounds(context, storage);
    do await rounds.next();
    while (!isOver());
    await context.log.settle();
  } finally {
    await storage.close();
    await logger.close();
  }
}

const NOWHERE = {
  write: (): void => undefined,
  flushSync: (): void => undefined,
  close: (): Promise<void> => Promise.resolve(),
};

/** Whatever is not offered to clients is warmed up all the same: nobody sees it. */
function settingsFor(settings: BrokerSettings): BrokerSettings {
  return {
    ...settings,
    protocol: {
      ...settings.protocol,
      minimumVersion: 3,
      maximumQos: 2,
      retainAvailable: true,
      wildcardSubscriptionAvailable: true,
      receiveMaximum: 1024,
    },
    access: {
      allowAnonymousRemote: true,
      allowAnonymousLoopback: true,
      passwordFile: null,
      rulesFile: null,
      defaultVerdict: 'allow',
      certificateAsUsername: false,
      sysTopicsForAnonymousRemote: false,
    },
  };
}

class Rounds {
  readonly #context: BrokerContext;
  readonly #storage: OpenedStorage;
  readonly #publishers: WarmUpClient[] = [];
  readonly #subscribers: WarmUpClient[] = [];
  readonly #packets: Uint8Array[][] = [];
  #count = 0;

  constructor(context: BrokerContext, storage: OpenedStorage) {
    this.#context = context;
    this.#storage = storage;
    for (let pair = 0; pair < PAIRS; pair += 1) this.#addPair(pair);
  }

  async next(): Promise<void> {
    const round = this.#count;
    this.#count += 1;
    for (const qos of [0, 1, 2] as const) await this.#publishLive(qos);
    await this.#publishRetained(round);
    await this.#leaveAndComeBack();
    await this.#readRetained(round);
    this.#comeAndGo(round);
    if (round % 16 === 15) await this.#storage.checkpointer?.run();
  }

  #addPair(pair: number): void {
    const publisher = this.#client(`warm-up-p${pair}`, true);
    const subscriber = this.#client(`warm-up-s${pair}`, true);
    subscriber.subscribe(`warm-up/${pair}`, 2);
    this.#publishers.push(publisher);
    this.#subscribers.push(subscriber);
    const topics = new Array<string>(MESSAGES).fill(`warm-up/${pair}`);
    const packetsOf = (qos: Qos): Uint8Array =>
      publishesOf(topics, { qos, retain: false, payload: PAYLOAD });
    this.#packets.push([packetsOf(0), packetsOf(1), packetsOf(2)]);
  }

  #client(clientId: string, cleanStart: boolean): WarmUpClient {
    const client = new WarmUpClient((transport) => new ClientConnection(this.#context, transport));
    client.connect(clientId, cleanStart);
    return client;
  }

  async #publishLive(qos: Qos): Promise<void> {
    const before = this.#subscribers.map(({ publishes }) => publishes);
    for (const [pair, publisher] of this.#publishers.entries()) {
      publisher.publish(this.#packets[pair]?.[qos] ?? NOTHING);
    }
    await this.#until(() =>
      this.#subscribers.every(({ publishes }, pair) => publishes - (before[pair] ?? 0) >= MESSAGES),
    );
    await this.#until(() => !this.#stepAll());
  }

  /** Each on a topic that is new. */
  async #publishRetained(round: number): Promise<void> {
    const before = this.#publishers.map(({ acknowledgements }) => acknowledgements);
    for (const [pair, publisher] of this.#publishers.entries()) {
      const topics = Array.from(
        { length: MESSAGES },
        (_, index) => `warm-up/retained/${round % 64}/${pair}/${round}-${index}`,
      );
      publisher.publish(publishesOf(topics, { qos: 1, retain: true, payload: PAYLOAD }));
    }
    await this.#until(() =>
      this.#publishers.every(
        ({ acknowledgements }, pair) => acknowledgements - (before[pair] ?? 0) >= MESSAGES,
      ),
    );
  }

  /** A durable session that was away finds its messages in the journal. */
  async #leaveAndComeBack(): Promise<void> {
    const session = this.#client('warm-up-durable', false);
    session.subscribe('warm-up/+', 1);
    await this.#until(() => this.#context.log.isSettled);
    session.disconnect();
    for (const [pair, publisher] of this.#publishers.entries()) {
      publisher.publish(this.#packets[pair]?.[1] ?? NOTHING);
    }
    await this.#until(() => this.#context.log.isSettled && !this.#stepAll());
    const back = this.#client('warm-up-durable', false);
    await this.#until(() => !back.step() && back.publishes >= PAIRS * MESSAGES);
    back.disconnect();
    this.#client('warm-up-durable', true).disconnect();
    await this.#until(() => this.#context.log.isSettled);
  }

  async #readRetained(round: number): Promise<void> {
    const reader = this.#client('warm-up-reader', true);
    reader.subscribe(`warm-up/retained/${round % 64}/#`, 1);
    await this.#until(() => !reader.step() && reader.publishes >= PAIRS * MESSAGES);
    reader.disconnect();
  }

  #comeAndGo(round: number): void {
    for (let index = 0; index < MESSAGES; index += 1) {
      this.#client(`warm-up-c${round}-${index}`, true).disconnect();
    }
  }

  #stepAll(): boolean {
    let any = false;
    for (const client of this.#publishers) any = client.step() || any;
    for (const client of this.#subscribers) any = client.step() || any;
    return any;
  }

  /** Lets turns of the event loop pass. What does not come is not worth more. */
  async #until(isDone: () => boolean): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isDone()) return;
      this.#stepAll();
    }
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);
