import { payloadOf } from '@robustmq/campaign';
import type { Will } from '@robustmq/mqtt-codec';
import type { SimulatedClient } from './simulated-client.ts';
import type { SimulationParts } from './simulation-parts.ts';

/** Longer than any absence of a client that comes back. */
const LONG_SECONDS = 300;

interface Testator {
  readonly client: SimulatedClient;
  readonly topic: string;
  /** Whether it is lost for good; otherwise it always comes back before its will is due. */
  readonly dies: boolean;
}

/**
 * Clients with wills (MQTT-5.0 §3.1.2.5, §3.1.3.2.2): one that is lost for good has its will published
 * once, one that comes back within the delay, wherever, never.
 */
export class WillScript {
  readonly #parts: SimulationParts;
  readonly #testators: Testator[] = [];
  readonly #received = new Map<string, number>();

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

  connect(): void {
    const { random } = this.#parts.world;
    for (const { client, topic, dies } of this.#testators) {
      const seconds = dies ? random.between(0, 4) : LONG_SECONDS;
      client.comeOnline(willOf(topic, seconds));
    }
  }

  /** Some time within `withinMs` those that are to die do. */
  begin(withinMs: number): void {
    const { world, say } = this.#parts;
    for (const { client, topic, dies } of this.#testators) {
      if (!dies) continue;
      world.time.after(world.random.between(1, withinMs), () => {
        say(`${client.traits.clientId} is lost for good, with will ${topic}`);
        client.vanish(world.random.pick(['reset', 'silent']));
      });
    }
  }

  received(topic: string): void {
    this.#received.set(topic, (this.#received.get(topic) ?? 0) + 1);
  }

  get isSettled(): boolean {
    return this.#testators.every(({ dies, topic }) => !dies || this.#received.has(topic));
  }

  /** @returns what does not hold */
  judge(): string | null {
    for (const { topic, dies } of this.#testators) {
      const times = this.#received.get(topic) ?? 0;
      if (!dies && times > 0) return `will ${topic} came though its client was back in time`;
      if (dies && times > 1) return `will ${topic} came ${times} times`;
      if (dies && times === 0) return `will ${topic} never came`;
    }
    return null;
  }

  #add(index: number, dies: boolean): void {
    const clientId = `w${index}`;
    const traits = { clientId, version: 5, durable: true, subscriptions: [] } as const;
    const client = this.#parts.addClient(traits, null);
    this.#testators.push({ client, topic: `w/${clientId}`, dies });
  }
}

function willOf(topic: string, willDelayIntervalSeconds: number): Will {
  const payload = payloadOf(topic, 1, 4);
  return { topic, payload, qos: 2, retain: false, properties: { willDelayIntervalSeconds } };
}
