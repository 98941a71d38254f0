import {
  type FileSystem,
  ManualTimers,
  MemoryFileSystem,
  SeededRandom,
  settle,
} from '@robustmq/environment';
import {
  type CheckedBatch,
  checkBatch,
  type JournalRecord,
  type Offset,
  RecordBatchBuilder,
  type RecordSelector,
} from '@robustmq/journal';
import type { LogIndex, NodeId } from '@robustmq/raft';
import {
  MemoryPeerNetwork,
  openRaftHost,
  type RaftBootstrap,
  type RaftFault,
  type RaftHost,
} from '@robustmq/raft-driver';
import { openShardReplica } from '../open-shard-replica.ts';
import { newReplicaStores, type ReplicaStores } from '../replica-stores.ts';
import type { AppendOutcome, ShardReplica, ShardReplicaOptions } from '../shard-replica.ts';
import { SpaceWatch } from '../space-watch.ts';

const encoder = new TextEncoder();

/** One node of a test: what is volatile is null while it is down. */
export interface TestNode {
  readonly id: NodeId;
  disk: MemoryFileSystem;
  /** Wraps the disk, to make it fail. */
  wrap: (disk: MemoryFileSystem) => FileSystem;
  host: RaftHost | null;
  replica: ShardReplica | null;
  stores: ReplicaStores | null;
  space: SpaceWatch | null;
  readonly fatal: RaftFault[];
}

/** Replicas of one shard in one process, on memory disks and manual time. */
export class ShardCluster {
  readonly timers: ManualTimers = new ManualTimers(1_700_000_000_000);
  readonly network: MemoryPeerNetwork = new MemoryPeerNetwork(this.timers);
  readonly nodes: TestNode[] = [];
  readonly #options: Partial<ShardReplicaOptions>;
  readonly diskFreeBytesMin: number;
  #seed = 1;

  constructor(options: Partial<ShardReplicaOptions> & { diskFreeBytesMin?: number } = {}) {
    const { diskFreeBytesMin = 0, ...rest } = options;
    this.#options = rest;
    this.diskFreeBytesMin = diskFreeBytesMin;
  }

  /** Founds a shard on new nodes 1 to `count`. */
  static async found(
    count: number,
    options: Partial<ShardReplicaOptions> & { diskFreeBytesMin?: number } = {},
  ): Promise<ShardCluster> {
    const cluster = new ShardCluster(options);
    const voters = Array.from({ length: count }, (_, at) => (at + 1) as NodeId);
    for (const id of voters) await cluster.start(cluster.addNode(id), { kind: 'found', voters });
    return cluster;
  }

  addNode(id: NodeId): TestNode {
    const node: TestNode = {
      id,
      disk: new MemoryFileSystem(),
      wrap: (disk) => disk,
      host: null,
      replica: null,
      stores: null,
      space: null,
      fatal: [],
    };
    this.nodes.push(node);
    return node;
  }

  async start(node: TestNode, bootstrap: RaftBootstrap = { kind: 'join' }): Promise<void> {
    this.#seed += 1;
    const { timers } = this;
    const fileSystem = node.wrap(node.disk);
    const random = new SeededRandom(this.#seed * 7919);
    const environment = { fileSystem, clock: timers.clock, timers, random };
    const host = await openRaftHost({
      directory: 'data',
      nodeId: node.id,
      clusterId: 'test',
      environment,
      transport: this.network.open(node.id),
      onFatal: (fault) => node.fatal.push(fault),
      onRefused: () => undefined,
    });
    try {
      const sizes = { batchCacheBytesMax: 64 * 1024, indexCacheBytesMax: 64 * 1024 };
      node.stores = newReplicaStores(fileSystem, sizes);
      const { diskFreeBytesMin } = this;
      node.space = await SpaceWatch.open({ environment, directory: 'data', diskFreeBytesMin });
      node.replica = await openShardReplica({
        host,
        environment,
        stores: node.stores,
        space: node.space,
        directory: 'data/shards/7',
        name: 'messages',
        groupId: 7,
        bootstrap,
        limits: { segmentBytesMax: 4096 },
        fetchEntries: (from, through) => this.#fetchFromOthers(node, from, through),
        ...this.#options,
      });
    } catch (error) {
      node.space?.close();
      await host.close();
      throw error;
    }
    node.host = host;
  }

  /** The power fails: only what was durable is there for the next start. */
  async crash(node: TestNode): Promise<void> {
    this.#seed += 1;
    const left = node.disk.crashClone(this.#seed);
    await this.stop(node);
    node.disk = left;
  }

  async stop(node: TestNode): Promise<void> {
    const { host, space } = node;
    node.host = null;
    node.replica = null;
    space?.close();
    await host?.close();
  }

  async stopAll(): Promise<void> {
    for (const node of this.nodes) await this.stop(node);
  }

  async pass(ticks: number): Promise<void> {
    for (let tick = 0; tick < ticks; tick += 1) {
      this.timers.advance(100);
      await settle();
    }
  }

  /** Passes time until `holds`; fails after 200 ticks. */
  async until(holds: () => boolean): Promise<void> {
    await settle();
    for (let tick = 0; tick < 200; tick += 1) {
      if (holds()) return;
      await this.pass(1);
    }
    throw new Error('it never came to pass');
  }

  /** Waits for a leader that a majority of the running nodes follows. */
  async leader(): Promise<ShardReplica> {
    return (await this.leaderNode()).replica as ShardReplica;
  }

  async leaderNode(): Promise<TestNode> {
    await this.until(() => this.#agreedLeader() !== undefined);
    return this.#agreedLeader() as TestNode;
  }

  /** Lets time pass while `work` is under way. */
  async during<Value>(work: Promise<Value>): Promise<Value> {
    let isOver = false;
    const mark = (): void => void (isOver = true);
    work.then(mark, mark);
    await this.until(() => isOver);
    return work;
  }

  /** Appends on whoever leads. */
  async append(producer: TestProducer, ...texts: readonly string[]): Promise<AppendOutcome> {
    const leader = await this.leader();
    return this.during(leader.append(producer.next(texts), 10_000));
  }

  /** Waits until every running replica has applied the same. */
  async converge(): Promise<void> {
    const leader = await this.leader();
    await this.during(leader.committed(5000));
    const running = this.nodes.flatMap(({ replica }) => replica ?? []);
    const { end } = leader;
    await this.until(() => running.every((replica) => replica.end === end));
  }

  async #fetchFromOthers(
    node: TestNode,
    from: LogIndex,
    through: LogIndex,
  ): Promise<Uint8Array | null> {
    for (const { replica } of this.nodes) {
      if (replica === null || replica === node.replica) continue;
      const entries = await replica.encodeEntries(from, through).catch(() => null);
      if (entries !== null) return entries;
    }
    return null;
  }

  #agreedLeader(): TestNode | undefined {
    const running = this.nodes.filter(({ replica }) => replica !== null);
    const leader = running.find(({ replica }) => replica?.status.raft.role === 'leader');
    const follow = running.filter(({ replica }) => replica?.status.raft.leader === leader?.id);
    return follow.length * 2 > running.length ? leader : undefined;
  }
}

/** Numbers its appends; topic and body of a record are both the text. */
export class TestProducer {
  readonly id: number;
  readonly incarnation: number;
  sequence = 0;
  readonly #builder = new RecordBatchBuilder();

  constructor(id: number, incarnation: number = 1) {
    this.id = id;
    this.incarnation = incarnation;
  }

  next(texts: readonly string[]): Parameters<ShardReplica['append']>[0] {
    this.sequence += 1;
    const { id, incarnation, sequence } = this;
    return { producer: { id, incarnation }, sequence, batch: this.batch(texts) };
  }

  batch(texts: readonly string[]): CheckedBatch {
    for (const text of texts) {
      const topic = encoder.encode(text.split(':', 1)[0]);
      this.#builder.add(1, topic, 0, topic.length, encoder.encode(text));
    }
    return sealed(this.#builder);
  }
}

/** What a server makes of a batch that comes in. */
export function sealed(builder: RecordBatchBuilder): CheckedBatch {
  return checkBatch(builder.seal(0 as Offset, 0).bytes) as CheckedBatch;
}

export const EVERYTHING: RecordSelector = { kind: 'everything' };

export async function readAll(
  replica: ShardReplica | null,
  from: number = replica?.oldest ?? 0,
  selector: RecordSelector = EVERYTHING,
): Promise<readonly JournalRecord[]> {
  const reader = (replica as ShardReplica).openReader(from as Offset, selector);
  const found: JournalRecord[] = [];
  for (;;) {
    const page = await reader.read(7, 1000);
    if (page.length === 0) return found;
    found.push(...page);
  }
}

export function textOf(record: JournalRecord): string {
  return new TextDecoder().decode(record.body);
}
