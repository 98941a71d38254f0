import { SeededRandom } from '@robustmq/environment';
import type { Hold, RequestKind } from '@robustmq/journal-memory';
import type { Qos } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { PublisherActor, SubscriberActor } from './actors.fixture.ts';
import { Cluster, type Node, turns, until } from './cluster.fixture.ts';

const STEPS = Number(process.env['ROBUSTMQ_TEST_STEPS'] ?? '200');
/** More are worth a night: each is a history of its own. */
const SEEDS = (process.env['ROBUSTMQ_TEST_SEEDS'] ?? '1,2,3').split(',').map(Number);
/** A busy machine takes its time. */
const TIMEOUT_MS = 180_000;
const NODES = 3;

/** Filters are subscribed once, before the first message: every later message is owed. */
const READERS: readonly {
  readonly clientId: string;
  readonly filters: readonly string[];
  readonly qos: Qos;
  readonly receiveMaximum: number;
}[] = [
  { clientId: 'all', filters: ['#'], qos: 2, receiveMaximum: 20 },
  { clientId: 'narrow', filters: ['x/+', '+/1'], qos: 2, receiveMaximum: 3 },
  { clientId: 'one', filters: ['x/1'], qos: 1, receiveMaximum: 50 },
];
const HELD: readonly RequestKind[] = ['append', 'write', 'tail', 'read', 'committed'];

/** Clients that come and go as a seed says, and brokers that die. */
class Model {
  readonly random: SeededRandom;
  readonly cluster: Cluster;
  readonly publishers = [
    new PublisherActor('p1', ['x/1', 'y/1']),
    new PublisherActor('p2', ['x/2', 'z']),
  ];
  readonly readers = READERS.map((each) => new SubscriberActor(each.clientId, each.receiveMaximum));
  readonly #nodes: Node[] = [];
  #holds: { readonly node: Node; readonly hold: Hold }[] = [];

  constructor(seed: number, membership: 'by hand' | 'real') {
    this.random = new SeededRandom(seed);
    this.cluster = new Cluster(membership);
  }

  async start(): Promise<void> {
    for (let id = 1; id <= NODES; id += 1) this.#nodes.push(await this.#begin(id));
    for (const { clientId, filters, qos } of READERS) {
      const peer = await this.cluster.client(this.#someNode(), clientId);
      for (const filter of filters) {
        const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
        peer.send({
          kind: 'subscribe',
          packetIdentifier: 1,
          subscriptions: [{ filter, ...options, retainHandling: 0 }],
          properties: {},
        });
        await until(() => peer.packets.some(({ kind }) => kind === 'suback'));
      }
      peer.destroy();
      await turns(2);
    }
  }

  async step(): Promise<void> {
    const action = this.random.below(100);
    if (action < 50) await this.#publishSome();
    else if (action < 70) await this.#comeOrGo();
    else if (action < 78) this.#muteOrSpeak();
    else if (action < 84) this.#hold();
    else if (action < 90) this.#release();
    else if (action < 92) await this.#crash();
    else await turns(this.random.below(30));
    await turns(this.random.below(3));
  }

  /** Everybody is there and speaks until nothing is owed any more. */
  async settle(): Promise<void> {
    for (const { hold } of this.#holds.splice(0)) hold.release();
    for (const actor of [...this.publishers, ...this.readers]) {
      do await actor.connect(this.cluster, this.#someNode());
      while (!actor.online);
    }
    for (const reader of this.readers) reader.speak();
    // What is slow goes on; only what stands still is lost.
    for (let taken = -1; taken !== this.#taken && !this.#isOver(); ) {
      taken = this.#taken;
      await until(() => this.#taken > taken || this.#isOver()).catch(() => {});
    }
    if (!this.#isOver()) throw new Error('something is owed still');
    await turns(50);
  }

  faults(): string[] {
    const faults: string[] = [...this.cluster.fatal];
    for (const { clientId, texts, exactlyOnce } of this.readers) {
      const seen = new Set(texts);
      const lost = this.#owedTo(clientId).filter((text) => !seen.has(text));
      faults.push(...lost.slice(0, 5).map((text) => `${clientId} lost ${text}`));
      const once = new Set<string>();
      const doubled = exactlyOnce.filter((text) => once.has(text) || !once.add(text));
      faults.push(...doubled.slice(0, 5).map((text) => `${clientId} got ${text} twice`));
      const late = disorderOf(texts);
      if (late !== null) faults.push(`${clientId} got ${late} after a newer one`);
    }
    return faults;
  }

  get messages(): number {
    return this.#owedTo('all').length;
  }

  get #taken(): number {
    return this.readers.reduce((sum, { texts }) => sum + texts.length, 0);
  }

  #isOver(): boolean {
    this.#bringBack();
    return this.publishers.every(({ openCount }) => openCount === 0) && this.#isComplete();
  }

  #isComplete(): boolean {
    return this.readers.every(({ clientId, texts }) => {
      const seen = new Set(texts);
      return this.#owedTo(clientId).every((text) => seen.has(text));
    });
  }

  #owedTo(clientId: string): string[] {
    const owed: string[] = [];
    for (const { counts } of this.publishers) {
      for (const [kind, count] of counts) {
        const topic = kind.split(' ')[0] as string;
        if (clientId === 'one' && topic !== 'x/1') continue;
        if (clientId === 'narrow' && topic === 'z') continue;
        for (let number = 0; number < count; number += 1) owed.push(`${kind} ${number}`);
      }
    }
    return owed;
  }

  #bringBack(): void {
    for (const actor of [...this.publishers, ...this.readers]) {
      if (!actor.online) throw new Error(`${actor.clientId} was cut off at the end`);
    }
  }

  async #begin(id: number): Promise<Node> {
    return this.cluster.start(`n${id}`, id);
  }

  #someNode(): Node {
    return this.#nodes[this.random.below(NODES)] as Node;
  }

  async #publishSome(): Promise<void> {
    const publisher = this.publishers[this.random.below(2)] as PublisherActor;
    if (!publisher.online) await publisher.connect(this.cluster, await this.#freeNode());
    for (let left = this.random.below(20); left > 0; left -= 1) {
      publisher.publish(this.random.below(2), this.random.below(3) === 0 ? 1 : 2);
    }
  }

  async #comeOrGo(): Promise<void> {
    const actors = [...this.publishers, ...this.readers];
    const actor = actors[this.random.below(actors.length)];
    if (actor === undefined) return;
    if (actor.online && this.random.below(2) === 0) actor.drop();
    else await actor.connect(this.cluster, await this.#freeNode());
  }

  /** A move needs the journal: nothing is held back meanwhile. */
  async #freeNode(): Promise<Node> {
    for (const { hold } of this.#holds.splice(0)) hold.release();
    return this.#someNode();
  }

  #muteOrSpeak(): void {
    const reader = this.readers[this.random.below(this.readers.length)];
    if (reader?.mute === true) reader.speak();
    else if (reader !== undefined) reader.mute = true;
  }

  #hold(): void {
    const node = this.#someNode();
    const kind = HELD[this.random.below(HELD.length)] as RequestKind;
    const hold = this.cluster.memory.faults.hold({ process: node.name, kinds: [kind] });
    this.#holds.push({ node, hold });
  }

  #release(): void {
    if (this.random.below(4) === 0) {
      this.cluster.memory.faults.loseAnswers({ kinds: ['append', 'write'] }, 2);
    }
    const held = this.#holds.shift();
    // What is dropped never arrives, and its sender hears that the outcome is unknown.
    if (this.random.below(3) === 0) held?.hold.drop();
    else held?.hold.release();
  }

  /** In the middle of whatever goes on; what it sent is lost or arrives late. */
  async #crash(): Promise<void> {
    const at = this.random.below(NODES);
    const node = this.#nodes[at] as Node;
    await this.cluster.crash(node);
    await turns(this.random.below(3));
    const late = this.random.below(2) === 0;
    for (const held of this.#holds.filter((each) => each.node === node)) {
      if (late) setImmediate(() => held.hold.release());
      else held.hold.drop();
    }
    this.#holds = this.#holds.filter((each) => each.node !== node);
    this.#nodes[at] = await this.#begin(node.producer.id);
  }
}

/** First occurrences by topic and QoS come in the order in which they were published. */
function disorderOf(texts: readonly string[]): string | null {
  const newest = new Map<string, number>();
  const seen = new Set<string>();
  for (const text of texts) {
    if (seen.has(text)) continue;
    seen.add(text);
    const [topic = '', qos = '', number = ''] = text.split(' ');
    const kind = `${topic} ${qos}`;
    if (Number(number) < (newest.get(kind) ?? -1)) return text;
    newest.set(kind, Number(number));
  }
  return null;
}

async function run(seed: number, membership: 'by hand' | 'real'): Promise<void> {
  const model = new Model(seed, membership);
  try {
    await model.start();
    for (let step = 0; step < STEPS; step += 1) await model.step();
    await model.settle().catch((error: unknown) => {
      throw new Error(`${String(error)}: ${model.faults().join('; ')}`, { cause: error });
    });
    expect(model.messages).toBeGreaterThan(100);
    expect(model.publishers.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(model.faults()).toEqual([]);
  } finally {
    await model.cluster.end();
  }
}

describe('whatever clients and brokers of a cluster go through', () => {
  for (const seed of SEEDS) {
    test(
      `nothing is lost, doubled or out of order, seed ${seed}`,
      () => run(seed, 'by hand'),
      TIMEOUT_MS,
    );
    test(`nor with placement center and links, seed ${seed}`, () => run(seed, 'real'), TIMEOUT_MS);
  }
});
