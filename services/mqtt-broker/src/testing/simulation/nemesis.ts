import type { ClusterWorld } from './cluster-world.ts';
import { SHARDS } from './simulated-broker.ts';
import type { SimulatedClient } from './simulated-client.ts';

export type Faults = Readonly<Record<string, number>>;

/** What is done to a cluster, as its seed has it. All of it ends by itself. */
export class Nemesis {
  readonly #world: ClusterWorld;
  readonly #clients: readonly SimulatedClient[];
  readonly #tell: (line: string) => void;
  readonly #counts: Record<string, number> = {};
  #endsAtMs = 0;

  constructor(
    world: ClusterWorld,
    clients: readonly SimulatedClient[],
    tell: (line: string) => void,
  ) {
    this.#world = world;
    this.#clients = clients;
    this.#tell = tell;
  }

  get faults(): Faults {
    return this.#counts;
  }

  start(forMs: number): void {
    const { time, random } = this.#world;
    this.#endsAtMs = time.nowMs + forMs;
    this.#world.answerLossChance = random.pick([0, 0, 0.01, 0.05]);
    time.after(forMs, () => {
      this.#world.answerLossChance = 0;
      this.#world.isLeaderless = false;
    });
    const paceMs = random.pick([300, 800, 2_000]);
    const next = (): void => {
      if (time.nowMs > this.#endsAtMs) return;
      this.#strike();
      time.after(random.between(1, 2 * paceMs), next);
    };
    time.after(random.between(1, 2 * paceMs), next);
  }

  #strike(): void {
    const { random, nodeIds } = this.#world;
    const node = random.pick(nodeIds);
    const client = random.pick(this.#clients);
    const kind = random.pick(KINDS);
    const leftMs = this.#endsAtMs - this.#world.time.nowMs;
    const lasting = (longestMs: number): number => Math.min(leftMs, random.between(1, longestMs));
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    this.#tell(`fault: ${kind}, broker ${node}, client ${client.traits.clientId}`);
    switch (kind) {
      case 'crash':
        this.#world.crash(node, random.between(1, 9_000));
        return;
      case 'pause':
        this.#world.pause(node, lasting(random.pick([300, 9_000])));
        return;
      case 'brokers cut':
        this.#world.cut(node, random.pick(nodeIds), lasting(9_000));
        return;
      case 'placement cut':
        this.#world.cut(node, 'placement', lasting(random.pick([1_000, 12_000])));
        return;
      case 'journal cut':
        this.#world.cut(node, 'journal', lasting(random.pick([1_000, 14_000])));
        return;
      case 'shard stalled':
        this.#world.stall(this.#shard(), lasting(random.pick([1_000, 14_000])));
        return;
      case 'placement leaderless':
        this.#leaderless(lasting(4_000));
        return;
      case 'answers lost':
        this.#world.memory.faults.loseAnswers({ shard: this.#shard() }, random.between(1, 3));
        return;
      case 'connection reset':
        client.drop('reset');
        return;
      case 'client silent':
        client.drop('silent');
        return;
      case 'client moves':
        client.moveOver();
        return;
      case 'client away':
        this.#away(client, lasting(5_000));
    }
  }

  #shard(): string {
    const { random } = this.#world;
    const kind = random.pick(['mqtt', 'mqtt', 'sessions', 'retained'] as const);
    const count = { mqtt: SHARDS.messages, sessions: SHARDS.sessions, retained: SHARDS.retained };
    return `${kind}-${random.below(count[kind])}`;
  }

  #leaderless(forMs: number): void {
    this.#world.isLeaderless = true;
    this.#world.time.after(forMs, () => {
      this.#world.isLeaderless = false;
    });
  }

  #away(client: SimulatedClient, forMs: number): void {
    client.leave();
    this.#world.time.after(forMs, () => client.comeOnline());
  }
}

const KINDS = [
  'crash',
  'pause',
  'brokers cut',
  'placement cut',
  'journal cut',
  'shard stalled',
  'placement leaderless',
  'answers lost',
  'connection reset',
  'connection reset',
  'client silent',
  'client moves',
  'client moves',
  'client away',
] as const;
