/**
 * Random histories of three nodes: crashes in the middle of writes, partitions, snapshots, disks that
 * fail or are full. In the end everybody lives and hears everybody.
 */
import { FaultyFileSystem, SeededRandom, settle } from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import type { RaftGroup } from '../raft-group.ts';
import { TestCluster, type TestNode } from './test-cluster.ts';

const STEPS = 60;

export interface History {
  /** What was acknowledged, in the order of the answers. */
  readonly acknowledged: readonly string[];
  /** What each node's machine holds. */
  readonly items: readonly (readonly string[])[];
  /** Of all failures that stopped a group. */
  readonly fatalCodes: readonly string[];
}

/** The same for the same seed. */
export async function randomHistory(seed: number): Promise<History> {
  const random = new SeededRandom(seed);
  const run = new Run(random);
  await run.found();
  for (let step = 0; step < STEPS; step += 1) await run.step();
  return run.end();
}

class Run {
  readonly #random: SeededRandom;
  readonly #cluster: TestCluster;
  readonly #acknowledged: string[] = [];
  readonly #fatalCodes: string[] = [];
  #proposed = 0;
  /** The next write or flush of this node fails. */
  #failing: { readonly id: NodeId; readonly kind: string; readonly code: string } | null = null;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#cluster = new TestCluster({
      host: { segmentBytesMax: 3000 },
      group: {
        compaction: { logEntriesMax: 30, logBytesMax: 1_000_000, slackEntries: 10 },
        raftOptions: { snapshotChunkBytesMax: 2000, windowBytesMax: 2000, appendBytesMax: 1000 },
      },
    });
  }

  async found(): Promise<void> {
    const voters = [1, 2, 3] as NodeId[];
    for (const id of voters) {
      const node = this.#cluster.addNode(id);
      node.wrap = (disk) =>
        new FaultyFileSystem(disk, ({ kind }) => {
          const failing = this.#failing;
          if (failing?.id !== id || failing.kind !== kind) return null;
          this.#failing = null;
          return { kind: 'fail', code: failing.code };
        });
      await this.#cluster.start(node, { kind: 'found', voters });
    }
  }

  async step(): Promise<void> {
    this.#proposeSome();
    if (this.#random.below(4) === 0) await this.#disturb();
    await this.#cluster.pass(1 + this.#random.below(4));
    await this.#superviseFailed();
  }

  async end(): Promise<History> {
    const cluster = this.#cluster;
    this.#failing = null;
    cluster.network.cut(() => false);
    for (const node of cluster.nodes) if (node.host === null) await cluster.start(node);
    await cluster.propose('the end');
    await cluster.until(() => cluster.nodes.every((n) => n.machine?.items.at(-1) === 'the end'));
    const items = cluster.nodes.map((node) => node.machine?.items ?? []);
    await cluster.stopAll();
    return { acknowledged: this.#acknowledged, items, fatalCodes: this.#fatalCodes };
  }

  #proposeSome(): void {
    for (const { group } of this.#cluster.nodes) {
      if (group?.status.role !== 'leader') continue;
      for (let count = 1 + this.#random.below(5); count > 0; count -= 1) this.#propose(group);
    }
  }

  #propose(group: RaftGroup<number>): void {
    this.#proposed += 1;
    const text = `item ${this.#proposed} ${'x'.repeat(this.#random.below(200))}`;
    group.propose(new TextEncoder().encode(text), 5000).then(
      () => this.#acknowledged.push(text),
      () => undefined,
    );
  }

  async #disturb(): Promise<void> {
    const cluster = this.#cluster;
    const random = this.#random;
    const node = cluster.nodes[random.below(cluster.nodes.length)] as TestNode;
    const victim = (1 + random.below(4)) as NodeId;
    switch (random.below(9)) {
      case 0:
      case 1:
        return this.#crashOrStart(node);
      case 2:
        return cluster.network.cut((from, to) => from === victim || to === victim);
      case 3:
        return cluster.network.cut((from) => from === victim);
      case 4:
        return void (await node.group?.takeSnapshot().catch(() => undefined));
      case 5:
        this.#failing = { id: victim, kind: 'syncData', code: 'EIO' };
        return;
      case 6:
        this.#failing = { id: victim, kind: 'write', code: 'ENOSPC' };
        return;
      default:
        return cluster.network.cut(() => false);
    }
  }

  async #crashOrStart(node: TestNode): Promise<void> {
    if (node.host === null) return this.#start(node);
    // In the middle of writes and answers, not after them.
    this.#cluster.timers.advance(100);
    await settle(this.#random.below(12));
    return this.#cluster.crash(node);
  }

  /** The process of a group that failed ends, and is started again. */
  async #superviseFailed(): Promise<void> {
    for (const node of this.#cluster.nodes) {
      if (node.fatal.length === 0) continue;
      this.#fatalCodes.push(...node.fatal.splice(0).map(({ code }) => code));
      await this.#cluster.crash(node);
      await this.#start(node);
    }
  }

  /** May meet the failing disk, too: then somebody starts it again later. */
  async #start(node: TestNode): Promise<void> {
    const { code } = this.#failing ?? { code: null };
    try {
      await this.#cluster.start(node);
    } catch (error) {
      if (code === null) throw error;
    }
  }
}
