import { payloadOf } from '@robustmq/campaign';
import type { Will } from '@robustmq/mqtt-codec';
import type { SimulatedClient } from './simulated-client.ts';
import type { SimulationParts } from './simulation-parts.ts';

/** Longer than any absence of a client that comes back. */
const LONG_SECONDS = 300;
const LATEST_SECONDS = 4;

interface Testator {
  readonly client: SimulatedClient;
  /** Whether it is lost for good; otherwise it always comes back before its will is due. */
  readonly dies: boolean;
}

/**
 * Clients with wills (MQTT-5.0 §3.1.2.5, §3.1.3.2.2), each connection with one of its own. That of a
 * connection with which the client is lost for good is published once; that of a client that comes back
 * within the delay, wherever, never; and none twice.
 */
export class WillScript {
  readonly #parts: SimulationParts;
  readonly #testators: Testator[] = [];
  readonly #received = new Map<string, number>();
  readonly #owed = new Set<string>();

  constructor(parts: SimulationParts) {
    this.#parts = parts;
    const { random } = parts.world;
    const count = random.between(1, 3);
    for (let index = 0; index < count; index += 1) this.#add(index, random.chance(0.5));
  }

  /** Those that are lost for good, and by this script alone. */
  get dying(): readonly SimulatedClient[] {
    return this.#testators.filter(({ dies }) => dies).map(({ client }) => client);
  }

  /** Some time within `withinMs` those that are to die do. */
  begin(withinMs: number): void {
    const { world, say } = this.#parts;
    for (const client of this.dying) {
      world.time.after(world.random.between(1, withinMs), () => {
        const topic = topicOf(client, client.connection);
        if (client.isConnected) this.#owed.add(topic);
        say(`${client.traits.clientId} is lost for good, with will ${topic}`);
        client.vanish(world.random.pick(['reset', 'silent']));
      });
    }
  }

  received(topic: string): void {
    this.#received.set(topic, (this.#received.get(topic) ?? 0) + 1);
  }

  get isSettled(): boolean {
    return [...this.#owed].every((topic) => this.#received.has(topic));
  }

  /** @returns what does not hold */
  judge(): string | null {
    for (const topic of this.#owed) {
      if (!this.#received.has(topic)) return `will ${topic} never came`;
    }
    for (const { client, dies } of this.#testators) {
      for (const [topic, times] of this.#received) {
        if (!topic.startsWith(topicOf(client, ''))) continue;
        if (!dies) return `will ${topic} came though its client was back in time`;
        if (times > 1) return `will ${topic} came ${times} times`;
      }
    }
    return null;
  }

  #add(index: number, dies: boolean): void {
    const { random } = this.#parts.world;
    const traits = { clientId: `w${index}`, version: 5, durable: true, subscriptions: [] } as const;
    const client = this.#parts.addClient(traits, null);
    const seconds = dies ? random.between(0, LATEST_SECONDS) : LONG_SECONDS;
    client.setWill((connection) => willOf(topicOf(client, connection), seconds));
    this.#testators.push({ client, dies });
  }
}

function topicOf({ traits }: SimulatedClient, connection: number | ''): string {
  return `w/${traits.clientId}/${connection}`;
}

function willOf(topic: string, willDelayIntervalSeconds: number): Will {
  const payload = payloadOf(topic, 1, 4);
  return { topic, payload, qos: 2, retain: false, properties: { willDelayIntervalSeconds } };
}
