import { openSharedMemory, type SharedMemory } from '@robustmq/journal-memory';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import { openRegistries, orphanSessions } from '@robustmq/placement-registry';
import { SeededRandom } from '@robustmq/simulator';
import { SeededRandom as SeededSource } from '@robustmq/environment';
import { ProcessLife } from './process-life.ts';
import { CLUSTER, makeBroker, type SimulatedBroker } from './simulated-broker.ts';
import { journalSeenBy } from './simulated-journal.ts';
import { SimulatedLinks } from './simulated-link.ts';
import { placementSeenBy } from './simulated-placement.ts';
import { SimulatedTime } from './simulated-time.ts';

const RESTART_MS = 400;

/** Who can be cut off from a broker. */
export type Place = 'placement' | 'journal';

/** The processes of one cluster and what lies between them. */
export class ClusterWorld {
  readonly random: SeededRandom;
  readonly time: SimulatedTime;
  readonly memory: SharedMemory;
  readonly placement: MemoryPlacement = new MemoryPlacement();
  readonly failures: string[] = [];
  /** By node id: the life that runs now. */
  readonly brokers: Map<number, SimulatedBroker> = new Map<number, SimulatedBroker>();
  /** Broker pairs and `node-place` that are cut. */
  readonly #cuts = new Set<string>();
  readonly #links: SimulatedLinks;
  readonly #nodeIds: readonly number[];
  /** Nobody decides at the placement center now. */
  isLeaderless = false;
  answerLossChance = 0;
  #lives = 0;

  readonly #tell: ((line: string) => void) | null;

  /** @param tell  hears what happens inside; null: nobody does */
  constructor(seed: number, tell: ((line: string) => void) | null) {
    this.#tell = tell;
    this.random = new SeededRandom(seed);
    this.time = new SimulatedTime(this.random);
    this.#nodeIds = Array.from({ length: this.random.between(2, 3) }, (_, index) => index + 1);
    this.memory = openSharedMemory({ timers: this.time.timers(() => this.#journalDelayMs()) });
    this.#links = new SimulatedLinks(this.time, {
      isCut: (from, to) => this.#cuts.has(pairOf(from, to)),
      delayMs: () => this.#linkDelayMs(),
    });
    this.time.every(1_000, () => {
      // A new leader lets every lease live for its whole time.
      if (!this.isLeaderless) this.placement.advance(1);
    });
  }

  get nodeIds(): readonly number[] {
    return this.#nodeIds;
  }

  get serving(): readonly SimulatedBroker[] {
    return [...this.brokers.values()].filter(
      ({ isServing, edges }) => isServing && edges.life.isAlive,
    );
  }

  /** The loop of the placement center that lets go of what dead brokers owned. */
  begin(): void {
    const random = new SeededSource(this.random.next());
    const registries = openRegistries(this.placement, { clusterName: CLUSTER, random });
    const clock = {
      nowMs: () => Math.floor(1_800_000_000_000 + this.time.nowMs),
      monotonicMs: () => this.time.nowMs,
    };
    const { nodes, sessions } = registries;
    const call = { deadlineMs: 5_000, signal: null };
    orphanSessions({ nodes, sessions, clock, call })
      .run(new AbortController().signal)
      .catch((error: unknown) => this.#failed('letting orphans go', error));
    for (const nodeId of this.#nodeIds) this.start(nodeId);
  }

  /** Begins a new life of the broker. */
  start(nodeId: number): void {
    this.#lives += 1;
    const life = new ProcessLife(`broker-${nodeId}.${this.#lives}`, this.time);
    const delayMs = (): number => this.#linkDelayMs();
    const placement = placementSeenBy(
      {
        ...{ life, time: this.time, delayMs },
        isCut: () => this.isLeaderless || this.isCut(nodeId, 'placement'),
        losesAnswer: () => this.random.chance(this.answerLossChance),
      },
      this.placement,
    );
    const journal = journalSeenBy(
      life,
      this.memory.connect(`broker-${nodeId}`),
      delayMs,
      this.#tell,
    );
    makeBroker(nodeId, {
      ...{ life, time: this.time, placement, journal },
      transport: this.#links.open(nodeId, life),
      tell: this.#tell,
      clientDelayMs: () => 0.2 + this.random.fraction() * 3,
      failed: (what, error) => {
        if (life.isAlive) this.#failed(`${life.name}: ${what}`, error);
      },
    })
      .then((broker) => {
        this.brokers.set(nodeId, broker);
        return broker.start();
      })
      .catch((error: unknown) => {
        if (life.isAlive) this.#failed(`${life.name}: starting`, error);
      });
  }

  crash(nodeId: number, awayMs: number): void {
    const broker = this.brokers.get(nodeId);
    if (broker === undefined) return;
    this.brokers.delete(nodeId);
    broker.crash();
    this.time.after(RESTART_MS + awayMs, () => this.start(nodeId));
  }

  pause(nodeId: number, forMs: number): void {
    const life = this.brokers.get(nodeId)?.edges.life;
    if (life === undefined || life.isPaused) return;
    life.pause();
    this.time.after(forMs, () => life.resume());
  }

  isCut(nodeId: number, from: number | Place): boolean {
    return this.#cuts.has(pairOf(nodeId, from));
  }

  cut(nodeId: number, from: number | Place, forMs: number): void {
    const pair = pairOf(nodeId, from);
    if (this.#cuts.has(pair)) return;
    this.#cuts.add(pair);
    const hold =
      from === 'journal' ? this.memory.faults.hold({ process: `broker-${nodeId}` }) : null;
    this.time.after(forMs, () => {
      this.#cuts.delete(pair);
      if (this.random.chance(0.5)) hold?.release();
      else hold?.drop();
    });
  }

  /** Nobody decides for this shard. */
  stall(shard: string, forMs: number): void {
    const hold = this.memory.faults.hold({ shard });
    this.time.after(forMs, () => {
      if (this.random.chance(0.7)) hold.release();
      else hold.drop();
    });
  }

  #failed(what: string, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.failures.push(`${what}: ${text}`);
  }

  #linkDelayMs(): number {
    return 0.3 + this.random.fraction() * 4;
  }

  #journalDelayMs(): number {
    return 0.5 + this.random.fraction() * 6;
  }
}

function pairOf(first: number | Place, second: number | Place): string {
  return typeof second === 'number' && Number(first) > second
    ? `${second}-${first}`
    : `${first}-${second}`;
}
