import { SeededRandom } from '@robustmq/environment';
import { describe, expect, test } from 'vitest';
import { PublisherActor, SubscriberActor } from './durable-actors.fixture.ts';
import { type DurableWorld, startDurable } from './durable.fixture.ts';

const STEPS = Number(process.env['ROBUSTMQ_TEST_STEPS'] ?? '300');

const LOOK_MS = 20;
/** After so many looks without any progress what is missing is lost. */
const IDLE_LOOKS_MAX = 300;

/** More are worth a night: each is a history of its own. */
const SEEDS = (process.env['ROBUSTMQ_TEST_SEEDS'] ?? '1,2,3,4').split(',').map(Number);

/** Filters are subscribed once, before the first message: every later message is owed. */
const READERS = [
  { clientId: 'all', filters: ['#'], qos: 2, receiveMaximum: 20 },
  { clientId: 'narrow', filters: ['x/+', '+/1'], qos: 2, receiveMaximum: 3 },
  { clientId: 'one', filters: ['x/1'], qos: 1, receiveMaximum: 100 },
] as const;
const MEMBERS = ['member 1', 'member 2'];

/** Clients that come and go as a seed says, and a broker that stops and dies. */
class Model {
  readonly random: SeededRandom;
  readonly world: DurableWorld;
  readonly publishers = [
    new PublisherActor('p1', ['x/1', 'y/1']),
    new PublisherActor('p2', ['x/2']),
  ];
  readonly readers = READERS.map(({ clientId }) => new SubscriberActor(clientId));
  readonly members = MEMBERS.map((clientId) => new SubscriberActor(clientId));

  constructor(world: DurableWorld, seed: number) {
    this.world = world;
    this.random = new SeededRandom(seed);
  }

  get subscribers(): readonly SubscriberActor[] {
    return [...this.readers, ...this.members];
  }

  async subscribeAll(): Promise<void> {
    for (const { clientId, filters, qos } of READERS) {
      await this.#subscribe(clientId, filters, qos);
    }
    for (const clientId of MEMBERS) await this.#subscribe(clientId, ['$share/g/#'], 2);
  }

  async step(): Promise<void> {
    const action = this.random.below(100);
    if (action < 55) await this.#publishSome();
    else if (action < 75) await this.#comeOrGo();
    else if (action < 85) this.#muteOrSpeak();
    else if (action < 92) await turns(this.random.below(20));
    else if (action < 95) await this.#restart();
    else await this.#crash();
  }

  dropAll(): void {
    for (const actor of [...this.publishers, ...this.subscribers]) actor.drop();
  }

  /** Everybody is there and listens until all is delivered, or nothing comes any more. */
  async settle(): Promise<void> {
    for (const subscriber of this.subscribers) subscriber.speak();
    let missing = Number.POSITIVE_INFINITY;
    for (let idle = 0; missing > 0 && idle < IDLE_LOOKS_MAX; idle += 1) {
      for (const actor of [...this.publishers, ...this.subscribers]) await this.#bring(actor);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const now = this.#missing();
      if (now !== missing) idle = 0;
      missing = now;
    }
  }

  /** Messages and acknowledgements that are owed. */
  #missing(): number {
    const all = this.owedTo('#').length;
    const shared = new Set(this.members.flatMap(({ texts }) => texts)).size;
    let missing = all - shared;
    for (const { openCount } of this.publishers) missing += openCount;
    for (const { clientId, texts } of this.readers) {
      const owed = clientId === 'one' ? this.owedTo('x/1').length : all;
      missing += owed - new Set(texts).size;
    }
    return missing;
  }

  /** Every message that was begun and matches: all were acknowledged in the end. */
  owedTo(filter: '#' | 'x/1'): string[] {
    const owed: string[] = [];
    for (const { counts } of this.publishers) {
      for (const [topic, count] of counts) {
        if (filter !== '#' && topic !== filter) continue;
        for (let number = 0; number < count; number += 1) owed.push(`${topic} ${number}`);
      }
    }
    return owed.sort();
  }

  /** In words; empty when all is well. */
  faults(): string[] {
    const shared = this.members.flatMap(({ texts }) => texts);
    const sharedOnce = this.members.flatMap(({ exactlyOnce }) => exactlyOnce);
    const faults = faultsOf('the group', {
      owed: this.owedTo('#'),
      texts: shared,
      exactlyOnce: sharedOnce,
    });
    for (const { clientId, texts, exactlyOnce } of this.readers) {
      const owed = this.owedTo(clientId === 'one' ? 'x/1' : '#');
      faults.push(...faultsOf(clientId, { owed, texts, exactlyOnce }));
      const late = disorderOf(texts);
      if (late !== null) faults.push(`${clientId} got ${late} after a newer one`);
    }
    return faults;
  }

  async #subscribe(clientId: string, filters: readonly string[], qos: 1 | 2): Promise<void> {
    const properties = { sessionExpiryIntervalSeconds: 3600 };
    const peer = await this.world.client({ clientId, cleanStart: false, properties });
    for (const filter of filters) await peer.subscribe(filter, { qos });
    await peer.disconnect();
  }

  async #publishSome(): Promise<void> {
    const publisher = this.publishers[this.random.below(2)] as PublisherActor;
    await this.#bring(publisher);
    for (let left = this.random.below(30); left > 0; left -= 1) {
      publisher.publish(this.random.below(2), this.random.below(3) === 0 ? 1 : 2);
    }
  }

  async #comeOrGo(): Promise<void> {
    const actors = [...this.publishers, ...this.subscribers];
    const actor = actors[this.random.below(actors.length)];
    if (actor === undefined) return;
    if (actor.online && this.random.below(2) === 0) actor.drop();
    // A second connection while the first is there takes the session over.
    else await this.#bring(actor, 'again');
  }

  async #bring(actor: PublisherActor | SubscriberActor, how: 'if away' | 'again' = 'if away') {
    if (how === 'if away' && actor.online) return;
    actor.drop();
    const limit = READERS.find(({ clientId }) => clientId === actor.clientId)?.receiveMaximum;
    await actor.connect(this.world, { receiveMaximum: limit ?? 10 });
  }

  #muteOrSpeak(): void {
    const subscriber = this.subscribers[this.random.below(this.subscribers.length)];
    if (subscriber === undefined) return;
    if (subscriber.mute) subscriber.speak();
    else subscriber.mute = true;
  }

  async #restart(): Promise<void> {
    await this.world.restart();
    this.dropAll();
  }

  /** Cut in the middle of whatever goes on. */
  async #crash(): Promise<void> {
    this.world.cut();
    this.dropAll();
    await this.world.startAgain();
  }
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** First occurrences by topic come in the order in which they were published. */
function disorderOf(texts: readonly string[]): string | null {
  const newest = new Map<string, number>();
  const seen = new Set<string>();
  for (const text of texts) {
    if (seen.has(text)) continue;
    seen.add(text);
    const [topic = '', number = ''] = text.split(' ');
    if (Number(number) < (newest.get(topic) ?? -1)) return text;
    newest.set(topic, Number(number));
  }
  return null;
}

function faultsOf(
  who: string,
  got: {
    readonly owed: readonly string[];
    readonly texts: readonly string[];
    readonly exactlyOnce: readonly string[];
  },
): string[] {
  const texts = new Set(got.texts);
  const lost = got.owed.filter((text) => !texts.has(text));
  const once = new Set<string>();
  const doubled = got.exactlyOnce.filter((text) => once.has(text) || !once.add(text));
  return [
    ...lost.slice(0, 5).map((text) => `${who} lost ${text}, one of ${lost.length}`),
    ...doubled.slice(0, 5).map((text) => `${who} got ${text} twice, one of ${doubled.length}`),
  ];
}

describe('whatever clients and broker go through', () => {
  for (const seed of SEEDS) {
    test(`nothing is lost, doubled or out of order, seed ${seed}`, async () => {
      const world = await startDurable({ storage: 'segment_bytes_max = "1 MiB"' });
      const model = new Model(world, seed);
      await model.subscribeAll();
      for (let step = 0; step < STEPS; step += 1) await model.step();
      await model.settle();
      // What is doubled may come last.
      await world.crash();
      model.dropAll();
      await model.settle();
      const all = model.owedTo('#');
      expect(all.length).toBeGreaterThan(100);
      expect(model.publishers.map(({ openCount }) => openCount)).toEqual([0, 0]);
      expect(model.publishers.flatMap(({ refusals }) => refusals)).toEqual([]);
      expect(model.faults()).toEqual([]);
    });
  }
});
