import { Ledger, OUTCOME, payloadOf, sequenceOf, type Stream } from '@robustmq/campaign';
import type { Packet, Publish, Qos } from '@robustmq/mqtt-codec';
import { textHash, TraceHash } from '@robustmq/simulator';
import { ClusterWorld } from './cluster-world.ts';
import { type Faults, Nemesis } from './nemesis.ts';
import { forbidRealTimers } from './real-timers.ts';
import { LateSubscribers } from './late-subscribers.ts';
import { checkOwnership, checkRest } from './ownership-check.ts';
import { type ClientTraits, SimulatedClient } from './simulated-client.ts';
import type { SimulationParts } from './simulation-parts.ts';
import { WillScript } from './will-script.ts';

const STARTED_WITHIN_MS = 30_000;
const FAULTS_MS = 20_000;
const QUIET_WITHIN_MS = 90_000;
const OPEN_MAX = 8;

export interface ClusterResult {
  readonly seed: number;
  /** What did not hold; null: everything did. */
  readonly violation: string | null;
  readonly traceHash: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly faults: Faults;
}

/** One cluster under one seed. @param tell  hears the story */
export async function simulateCluster(
  seed: number,
  tell: ((line: string) => void) | null = null,
): Promise<ClusterResult> {
  return new ClusterSimulation(seed, tell).run();
}

class ClusterSimulation {
  readonly #seed: number;
  readonly #world: ClusterWorld;
  readonly #ledger = new Ledger();
  readonly #trace = new TraceHash();
  readonly #tell: ((line: string) => void) | null;
  readonly #publishers: { readonly client: SimulatedClient; readonly streams: Stream[] }[] = [];
  readonly #clients: SimulatedClient[] = [];
  readonly #streams = new Map<string, Stream>();
  readonly #wills: WillScript;
  #violation: string | null = null;

  constructor(seed: number, tell: ((line: string) => void) | null) {
    this.#seed = seed;
    this.#tell = tell;
    this.#world = new ClusterWorld(seed, tell === null ? null : (line) => this.#say(line));
    this.#populate();
    this.#wills = new WillScript(this.#parts);
  }

  async run(): Promise<ClusterResult> {
    const unhandled = (error: unknown): void => this.#violate(`unhandled: ${textOf(error)}`);
    // A logger that tells the story has a timer of its own.
    const told = (what: string): void => {
      if (this.#tell === null) this.#violate(`${what} of the machine was called`);
    };
    const release = forbidRealTimers(told);
    process.on('unhandledRejection', unhandled);
    try {
      return await this.#run();
    } finally {
      process.off('unhandledRejection', unhandled);
      release();
    }
  }

  async #run(): Promise<ClusterResult> {
    const { time } = this.#world;
    const everybody = [...this.#clients];
    const areReady = (): boolean => everybody.every((each) => each.isSubscribed);
    this.#world.begin();
    for (const client of everybody) client.comeOnline();
    await this.#until(STARTED_WITHIN_MS, areReady);
    if (!areReady()) this.#violate('the cluster does not start');
    const victims = everybody.filter((each) => !this.#wills.dying.includes(each));
    const nemesis = new Nemesis(this.#world, victims, (line) => this.#say(line));
    nemesis.start(FAULTS_MS);
    this.#wills.begin(FAULTS_MS);
    for (const publisher of this.#publishers) this.#publishOn(publisher);
    await this.#until(FAULTS_MS + 1, () => false);
    this.#say('healed');
    await this.#until(QUIET_WITHIN_MS, () => this.#isQuiet);
    await this.#lateSubscribers();
    // What comes twice comes late.
    await this.#until(2_000, () => false);
    this.#judge();
    return {
      seed: this.#seed,
      violation: this.#violation,
      traceHash: this.#trace.hex,
      simulatedMs: time.nowMs,
      events: time.eventCount,
      acknowledged: this.#ledger.acknowledged,
      delivered: this.#ledger.delivered,
      faults: nemesis.faults,
    };
  }

  async #lateSubscribers(): Promise<void> {
    if (!this.#isQuiet) return;
    const late = new LateSubscribers(this.#parts);
    late.begin();
    await this.#until(QUIET_WITHIN_MS, () => late.isDone && this.#isQuiet);
    if (!late.isDone) this.#violate('a subscription in a whole cluster is not granted');
  }

  get #isQuiet(): boolean {
    if (this.#clients.some(isBusy) || !this.#wills.isSettled) return false;
    return this.#ledger.isSettled;
  }

  get #parts(): SimulationParts {
    return {
      world: this.#world,
      ledger: this.#ledger,
      addClient: (traits, nodeId) => this.#add(traits, nodeId),
      openStream: (topic, qos) => this.#openStream(topic, qos),
      publishNext: (client, stream) => this.#publishNext(client, stream),
      say: (line) => this.#say(line),
      violate: (what) => this.#violate(what),
    };
  }

  #openStream(topic: string, qos: 1 | 2): Stream {
    const stream = this.#ledger.openStream(topic, { qos, retain: false });
    this.#streams.set(topic, stream);
    return stream;
  }

  #publishNext(client: SimulatedClient, stream: Stream): void {
    stream.published += 1;
    const { topic, qos, published: sequence } = stream;
    stream.outcomes[sequence] = OUTCOME.unknown;
    this.#say(`${client.traits.clientId} publishes ${topic} #${sequence}`);
    client.publish(topic, { sequence, qos, payload: payloadOf(topic, sequence, 8) });
  }

  async #until(forMs: number, isDone: () => boolean): Promise<void> {
    const { time, failures } = this.#world;
    if (this.#violation !== null) return;
    let looks = 0;
    await time.runUntil(time.nowMs + forMs, () => {
      looks += 1;
      if (failures[0] !== undefined) this.#violate(failures[0]);
      if (looks % 64 !== 0) return this.#violation !== null;
      const wrong = checkOwnership(this.#world);
      if (wrong !== null) this.#violate(wrong);
      return this.#violation !== null || isDone();
    });
  }

  #populate(): void {
    const { random } = this.#world;
    const subscribers = random.between(2, 3);
    for (let index = 0; index < subscribers; index += 1) {
      const clientId = `s${index}`;
      this.#ledger.openAccount(clientId, 'subscriber', (topic) => topic.startsWith('t/'));
      const filters = random.pick([['t/#'], ['t/+/1', 't/+/2'], ['t/p0/#', 't/p1/#', 't/p2/#']]);
      const wills = index === 0 ? ['w/#'] : [];
      const subscriptions = [...filters, ...wills].map((filter) => ({ filter, qos: 2 as Qos }));
      this.#add({ clientId, version: random.pick([4, 5]), durable: true, subscriptions }, null);
    }
    const publishers = random.between(2, 3);
    for (let index = 0; index < publishers; index += 1) {
      const clientId = `p${index}`;
      const traits = { clientId, version: random.pick([4, 5] as const), subscriptions: [] };
      const client = this.#add({ ...traits, durable: true }, null);
      const streams = ([1, 2] as const).map((qos) => this.#openStream(`t/${clientId}/${qos}`, qos));
      this.#publishers.push({ client, streams });
    }
  }

  #add(traits: ClientTraits, nodeId: number | null): SimulatedClient {
    const { clientId } = traits;
    const { time, random } = this.#world;
    const client = new SimulatedClient(traits, {
      time,
      pickBroker: () => {
        const { serving } = this.#world;
        if (nodeId !== null) return serving.find((each) => each.nodeId === nodeId) ?? null;
        return serving.length === 0 ? null : random.pick(serving);
      },
      events: {
        connected: () => this.#say(`${clientId} is connected to broker ${client.nodeId}`),
        subscribed: () => this.#say(`${clientId} has subscribed`),
        received: (publish) => this.#received(clientId, publish),
        decided: (topic, sequence, outcome) => this.#decided(topic, sequence, outcome),
        sessionLost: () => this.#ledger.sessionLost(clientId),
        wrong: (what) => this.#violate(what),
        trace: (to, packet) => this.#traced(to, packet),
      },
    });
    this.#clients.push(client);
    return client;
  }

  #publishOn(publisher: { readonly client: SimulatedClient; readonly streams: Stream[] }): void {
    const { time, random } = this.#world;
    const { client, streams } = publisher;
    const untilMs = time.nowMs + FAULTS_MS;
    const next = (): void => {
      if (time.nowMs > untilMs) return;
      if (client.openCount < OPEN_MAX && (client.isConnected || client.traits.durable)) {
        this.#publishNext(client, random.pick(streams));
      }
      time.after(random.between(5, 200), next);
    };
    next();
  }

  #received(clientId: string, { topic, payload }: Publish): void {
    const sequence = sequenceOf(topic, payload);
    if (topic.startsWith('w/')) {
      this.#say(`${clientId} got will ${topic}`);
      this.#wills.received(topic);
      return;
    }
    this.#say(`${clientId} got ${topic} #${sequence}`);
    this.#ledger.deliver(clientId, topic, sequence);
  }

  #decided(topic: string, sequence: number, outcome: 'acknowledged' | 'refused'): void {
    this.#say(`${topic} #${sequence} is ${outcome}`);
    const stream = this.#streams.get(topic);
    if (stream !== undefined) stream.outcomes[sequence] = OUTCOME[outcome];
  }

  #traced(to: string, packet: Packet): void {
    const id = 'packetIdentifier' in packet ? packet.packetIdentifier : 0;
    if (packet.kind !== 'pingresp') this.#say(`${to} hears ${packet.kind} ${id}`);
    this.#trace.add(textHash(`${this.#world.time.nowMs} ${to} ${packet.kind} ${id}`));
  }

  #judge(): void {
    if (this.#violation !== null) return;
    const away = this.#clients.filter((each) => each.wantsOnline && !each.isConnected);
    if (away.length > 0) {
      this.#violate(`${away.map(({ traits }) => traits.clientId).join(', ')} cannot connect`);
      return;
    }
    const figures = this.#ledger.figures();
    const { lost, duplicatedQos2, reordered, corrupted, sessionsLost } = figures;
    const wrong = Object.entries({ lost, duplicatedQos2, reordered, corrupted, sessionsLost });
    const broken = wrong.filter(([, count]) => count > 0);
    if (broken.length === 0) {
      const other = this.#wills.judge() ?? checkRest(this.#world);
      if (other !== null) this.#violate(other);
      return;
    }
    const what = broken.map(([name, count]) => `${name} ${count}`).join(', ');
    this.#violate(`${what}: ${this.#ledger.examples.slice(0, 3).join('; ')}`);
  }

  #violate(what: string): void {
    this.#violation ??= what;
    this.#say(`VIOLATION ${what}`);
  }

  #say(line: string): void {
    this.#tell?.(`${this.#world.time.nowMs.toFixed(1).padStart(9)}  ${line}`);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isBusy(client: SimulatedClient): boolean {
  return client.wantsOnline && (!client.isConnected || client.openCount > 0);
}
