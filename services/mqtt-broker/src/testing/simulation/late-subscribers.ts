import type { Stream } from '@robustmq/campaign';
import type { SimulatedClient } from './simulated-client.ts';
import type { SimulationParts } from './simulation-parts.ts';

const ROUNDS = 3;
const MESSAGES = 2;

/**
 * In a whole cluster, SUBACK means that a message published anywhere from then on is delivered: a client
 * subscribes at one broker, and in the moment of its SUBACK another publishes at each of the others.
 */
export class LateSubscribers {
  readonly #parts: SimulationParts;
  readonly #publishers: { readonly client: SimulatedClient; readonly nodeId: number }[] = [];
  #round = 0;
  #left = 0;

  constructor(parts: SimulationParts) {
    this.#parts = parts;
    for (const nodeId of parts.world.nodeIds) {
      const traits = { clientId: `l${nodeId}`, version: 5, durable: true } as const;
      const client = parts.addClient({ ...traits, subscriptions: [] }, nodeId);
      this.#publishers.push({ client, nodeId });
    }
  }

  begin(): void {
    for (const { client } of this.#publishers) client.comeOnline();
    this.#left = ROUNDS;
    this.#next();
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  #next(): void {
    const { world, ledger, addClient, openStream } = this.#parts;
    const { time, random, nodeIds } = world;
    const areReady = this.#publishers.every(({ client, nodeId }) => {
      return client.isConnected && client.nodeId === nodeId;
    });
    if (!areReady) {
      time.after(200, () => this.#next());
      return;
    }
    this.#round += 1;
    const prefix = `late/${this.#round}/`;
    const nodeId = random.pick(nodeIds);
    const clientId = `late${this.#round}`;
    const streams = this.#publishers.map((publisher) => ({
      ...publisher,
      stream: openStream(`late/${this.#round}/${publisher.nodeId}`, random.pick([1, 2])),
    }));
    const filter = random.pick([`late/${this.#round}/#`, `late/${this.#round}/+`]);
    ledger.openAccount(clientId, 'subscriber', (topic) => topic.startsWith(prefix));
    const traits = { clientId, version: 5, durable: random.chance(0.5) } as const;
    const subscriptions = [{ filter, qos: 2 as const }];
    const client = addClient({ ...traits, subscriptions }, nodeId);
    client.whenSubscribed(() => this.#publishAll(streams));
    client.comeOnline();
  }

  #publishAll(
    streams: readonly { readonly client: SimulatedClient; readonly stream: Stream }[],
  ): void {
    const { world, publishNext } = this.#parts;
    for (const { client, stream } of streams) {
      for (let count = 0; count < MESSAGES; count += 1) publishNext(client, stream);
    }
    this.#left -= 1;
    if (this.#left > 0) world.time.after(world.random.between(50, 500), () => this.#next());
  }
}
