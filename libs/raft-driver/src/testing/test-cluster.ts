import {
  type FileSystem,
  ManualTimers,
  MemoryFileSystem,
  SeededRandom,
  settle,
} from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import { MemoryPeerNetwork } from '../memory-peer-network.ts';
import { openRaftHost } from '../open-raft-host.ts';
import type { RaftFault, RaftGroup } from '../raft-group.ts';
import type { PeerRefusal, RaftGroupOptions, RaftHost, RaftHostOptions } from '../raft-host.ts';
import { type ListDisk, ListMachine, newListDisk } from './list-machine.ts';

/** One node of a test: what is volatile is null while it is down. */
export interface TestNode {
  readonly id: NodeId;
  disk: MemoryFileSystem;
  /** Wraps the disk, to make it fail. */
  wrap: (disk: MemoryFileSystem) => FileSystem;
  machineDisk: ListDisk;
  host: RaftHost | null;
  group: RaftGroup<number> | null;
  machine: ListMachine | null;
  readonly fatal: RaftFault[];
  readonly refused: PeerRefusal[];
}

export interface TestClusterOptions {
  readonly host?: Partial<RaftHostOptions>;
  readonly group?: Partial<RaftGroupOptions<number>>;
}

/** Nodes of one process on memory disks and manual time. */
export class TestCluster {
  readonly timers: ManualTimers = new ManualTimers(1_000_000);
  readonly network: MemoryPeerNetwork = new MemoryPeerNetwork(this.timers);
  readonly nodes: TestNode[] = [];
  readonly #options: TestClusterOptions;
  #seed = 1;

  constructor(options: TestClusterOptions = {}) {
    this.#options = options;
  }

  /** Founds a group on new nodes 1 to `count`. */
  static async found(count: number, options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    const voters = Array.from({ length: count }, (_, at) => (at + 1) as NodeId);
    for (const id of voters) await cluster.start(cluster.addNode(id), { kind: 'found', voters });
    return cluster;
  }

  addNode(id: NodeId): TestNode {
    const node: TestNode = {
      id,
      disk: new MemoryFileSystem(),
      wrap: (disk) => disk,
      machineDisk: newListDisk(),
      host: null,
      group: null,
      machine: null,
      fatal: [],
      refused: [],
    };
    this.nodes.push(node);
    return node;
  }

  async start(
    node: TestNode,
    bootstrap: RaftGroupOptions<number>['bootstrap'] = { kind: 'join' },
  ): Promise<void> {
    this.#seed += 1;
    const { timers } = this;
    const host = await openRaftHost({
      directory: 'data',
      nodeId: node.id,
      clusterId: 'test',
      environment: {
        fileSystem: node.wrap(node.disk),
        clock: timers.clock,
        timers,
        random: new SeededRandom(this.#seed * 7919),
      },
      transport: this.network.open(node.id),
      onFatal: (fault) => node.fatal.push(fault),
      onRefused: (refusal) => node.refused.push(refusal),
      ...this.#options.host,
    });
    const machine = new ListMachine(node.machineDisk);
    try {
      node.group = await host.openGroup({
        name: 'list',
        groupId: 7,
        machine,
        bootstrap,
        ...this.#options.group,
      });
    } catch (error) {
      await host.close();
      throw error;
    }
    node.host = host;
    node.machine = machine;
  }

  /** The power fails: only what was durable is there for the next start. */
  async crash(node: TestNode): Promise<void> {
    this.#seed += 1;
    const left = node.disk.crashClone(this.#seed);
    const { host } = node;
    this.#down(node);
    await host?.close();
    node.disk = left;
  }

  async stop(node: TestNode): Promise<void> {
    const { host } = node;
    this.#down(node);
    await host?.close();
  }

  async stopAll(): Promise<void> {
    for (const node of this.nodes) await this.stop(node);
  }

  /** Lets ticks pass, each with everything that follows from it. */
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

  /** Waits for a leader that all running nodes follow. */
  async leader(): Promise<TestNode> {
    await this.until(() => this.#agreedLeader() !== undefined);
    return this.#agreedLeader() as TestNode;
  }

  /** Proposes on the leader and waits until it is applied there. */
  async propose(text: string): Promise<number> {
    const { group } = await this.leader();
    const proposed = (group as RaftGroup<number>).propose(new TextEncoder().encode(text), 10_000);
    return (await this.during(proposed)).result;
  }

  /** Lets time pass while `work` is under way. */
  async during<Value>(work: Promise<Value>): Promise<Value> {
    let isOver = false;
    const mark = (): void => void (isOver = true);
    work.then(mark, mark);
    await this.until(() => isOver);
    return work;
  }

  #agreedLeader(): TestNode | undefined {
    const running = this.nodes.filter(({ group }) => group !== null);
    const leader = running.find(({ group }) => group?.status.role === 'leader');
    const follow = running.filter(({ group }) => group?.status.leader === leader?.id);
    return follow.length * 2 > running.length ? leader : undefined;
  }

  #down(node: TestNode): void {
    node.host = null;
    node.group = null;
    node.machine = null;
  }
}
