import type { CommandResult, Lease, LeaseId, Placement, Revision } from '@robustmq/placement';
import { openPlacementStore, type PlacementStore } from '@robustmq/placement-store';
import { defaultRaftOptions, type LogIndex, type NodeId, type RaftStatus } from '@robustmq/raft';
import type { RaftGroup } from '@robustmq/raft-driver';
import { Controllers } from './controllers.ts';
import { InProcessPlacement, type PlacementCounters } from './in-process-placement.ts';
import { Leadership } from './leadership.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { MemberAddresses } from './member-addresses.ts';
import { MemberOperations } from './member-operations.ts';
import { observedMachine } from './observed-machine.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type {
  Backup,
  LeasePage,
  PlacementNode,
  PlacementNodeOptions,
  PlacementNodeStatus,
} from './placement-node.ts';
import { ReadGate } from './read-gate.ts';
import { StoreHistory } from './store-history.ts';
import { WatchHub } from './watch-hub.ts';

/** How long one proof of leadership may take. */
const BARRIER_DEADLINE_MS = 2000;
const EXPIRY_DEADLINE_MS = 5000;
const CORRECTION_DEADLINE_MS = 5000;
/**
 * Entries in memory for members that lag. Small: what outlives a collection of garbage is copied by it,
 * and that is most of what a collection costs here.
 */
const WINDOW_BYTES_MAX = 512 * 1024;
/** The one group of a placement center. */
const GROUP = { name: 'placement', groupId: 0 } as const;

/**
 * Opens the member from what its directory holds. It takes part in elections from now on; calls are
 * answered once there is a leader.
 *
 * @throws PlacementStoreError, RaftError  what is on disk can't be had or trusted
 */
export async function openPlacementNode(options: PlacementNodeOptions): Promise<PlacementNode> {
  const { environment, directory, limits } = options;
  const { fileSystem } = environment;
  const store = await openPlacementStore({
    directory,
    fileSystem,
    ...(limits === undefined ? {} : { limits }),
  });
  const member = new Member(options, store);
  await member.open();
  return member;
}

interface OpenedParts {
  readonly group: RaftGroup<CommandResult>;
  readonly placement: InProcessPlacement;
  readonly members: MemberOperations;
}

class Member implements PlacementNode {
  readonly #options: PlacementNodeOptions;
  readonly #store: PlacementStore;
  readonly #history: StoreHistory;
  readonly #hub: WatchHub;
  readonly #keeper: LeaseKeeper;
  readonly #gate: ReadGate;
  readonly #leadership: Leadership;
  readonly #controllers: Controllers;
  readonly #addresses: MemberAddresses;
  readonly #turns: OneAtATime = new OneAtATime();
  readonly #counters: PlacementCounters = { proposals: 0, proposalsFailed: 0 };
  #leasesRead: readonly Lease[] = [];
  #parts: OpenedParts | null = null;
  #readBarriers = 0;
  #leasesExpired = 0;
  #leaderChanges = 0;
  #leader: NodeId | null = null;
  #isEnding = false;
  #closing: Promise<void> | null = null;

  constructor(options: PlacementNodeOptions, store: PlacementStore) {
    const { clock, timers } = options.environment;
    this.#options = options;
    this.#store = store;
    this.#history = new StoreHistory(store);
    this.#hub = new WatchHub({ history: this.#history, clock, timers });
    this.#gate = new ReadGate(() => this.#barrier());
    this.#keeper = new LeaseKeeper({
      clock,
      timers,
      checkEveryMs: options.leaseCheckMs,
      expire: (id) => this.#expire(id),
      confirmLeadership: () => this.#gate.pass(),
    });
    this.#leadership = new Leadership({
      timers,
      catchUp: () => this.#readLeases(),
      begin: () => this.#beginTerm(),
      end: () => this.#endTerm(),
    });
    this.#controllers = new Controllers(options.controllers, timers, options.onControllerFailure);
    const own = options.host.nodeId;
    this.#addresses = new MemberAddresses(options.addresses, () => {
      options.onPeers(this.#addresses.peersOf(own));
    });
  }

  async open(): Promise<void> {
    const { host, bootstrap, compaction, environment } = this.#options;
    const raftOptions = { windowBytesMax: WINDOW_BYTES_MAX, ...this.#options.raftOptions };
    const store = this.#store;
    store.onApplied((revisions) => {
      this.#history.applied(revisions);
      this.#addresses.applied(revisions);
      this.#hub.publish(revisions);
    });
    store.onInstalled((revision) => this.#installed(revision));
    await this.#addresses.load(store);
    const machine = observedMachine(store, this.#keeper, this.#turns);
    const group = await host.openGroup({ ...GROUP, machine, bootstrap, raftOptions, compaction });
    const addressOf = (node: NodeId): string | null => this.#addresses.addressOf(node);
    const placement = new InProcessPlacement({
      group,
      store,
      timers: environment.timers,
      hub: this.#hub,
      keeper: this.#keeper,
      gate: this.#gate,
      addressOf,
      counters: this.#counters,
    });
    const members = new MemberOperations({ group, addresses: this.#addresses, placement });
    this.#parts = { group, placement, members };
    group.onLeadership((status) => this.#leadershipChanged(status));
    this.#leadershipChanged(group.status);
  }

  get placement(): Placement {
    return this.#opened.placement;
  }

  get members(): MemberOperations {
    return this.#opened.members;
  }

  get status(): PlacementNodeStatus {
    const raft = this.#opened.group.status;
    const { keys, leases, storedBytes, storedBytesMax } = this.#store.stats;
    return {
      raft,
      appliedIndex: this.#store.appliedIndex,
      revision: this.#store.revision,
      oldestRevision: (this.#store.compactedRevision + 1) as Revision,
      storeBytes: storedBytes,
      storeBytesMax: storedBytesMax,
      keys,
      leases,
      watches: this.#hub.size,
      leads: this.#leadership.isEstablished,
      leaderAddress: raft.leader === null ? null : this.#addresses.addressOf(raft.leader),
      counters: {
        ...this.#counters,
        readBarriers: this.#readBarriers,
        leasesExpired: this.#leasesExpired,
        leaderChanges: this.#leaderChanges,
      },
    };
  }

  async listLeases(after: LeaseId | null, limit: number): Promise<LeasePage> {
    const leases: Lease[] = [];
    for await (const lease of this.#store.leases()) {
      // One without time to live has ended: only keys of it are left.
      if (lease.ttlSeconds === 0 || (after !== null && lease.id <= after)) continue;
      if (leases.length === limit) return { leases, more: true };
      leases.push(lease);
    }
    return { leases, more: false };
  }

  takeSnapshot(): Promise<LogIndex> {
    return this.#opened.group.takeSnapshot();
  }

  async openBackup(): Promise<Backup> {
    const { revision, snapshot } = await this.#turns.run(async () => ({
      snapshot: await this.#store.openSnapshot(),
      revision: this.#store.revision,
    }));
    return {
      revision,
      index: snapshot.index,
      content: snapshot.content,
      close: () => snapshot.close(),
    };
  }

  async handOver(deadlineMs: number): Promise<void> {
    const { role, configuration, followers, id } = this.#opened.group.status;
    if (role !== 'leader') return;
    const [best] = followers
      .filter(
        ({ node, mode }) =>
          configuration.voters.includes(node) && node !== id && mode === 'replicate',
      )
      .toSorted((left, right) => right.matchIndex - left.matchIndex);
    if (best !== undefined) await this.members.transferLeadership(best.node, deadlineMs);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async endCalls(): Promise<void> {
    this.#isEnding = true;
    this.#leadership.stop();
    await this.#controllers.stop();
    await this.#parts?.placement.close();
  }

  async #close(): Promise<void> {
    await this.endCalls();
    await this.#parts?.group.close();
  }

  get #opened(): OpenedParts {
    if (this.#parts === null) throw new TypeError('the member is not open yet');
    return this.#parts;
  }

  async #barrier(): Promise<void> {
    this.#readBarriers += 1;
    await this.#opened.group.readBarrier(BARRIER_DEADLINE_MS);
  }

  #leadershipChanged(status: RaftStatus): void {
    if (this.#isEnding) return;
    if (status.leader !== this.#leader) {
      this.#leader = status.leader;
      this.#leaderChanges += 1;
    }
    this.#leadership.changed(status);
    this.#options.onLeadership(status);
  }

  async #readLeases(): Promise<void> {
    // Leases that come and go while this reads are told to the keeper as they are applied.
    this.#keeper.prepare();
    await this.#barrier();
    const leases: Lease[] = [];
    for await (const lease of this.#store.leases()) leases.push(lease);
    this.#leasesRead = leases;
  }

  #beginTerm(): void {
    const { raftOptions, tickMs } = this.#options;
    const electionTicks =
      raftOptions.electionTimeoutTicks ?? defaultRaftOptions.electionTimeoutTicks;
    // The last leader may have promised time until an election before this one began.
    this.#keeper.begin(this.#leasesRead, 2 * electionTicks * tickMs);
    this.#leasesRead = [];
    this.#controllers.start();
    // Another try follows with the next leader; until then the configuration's addresses serve.
    this.members.correctAddresses(CORRECTION_DEADLINE_MS).catch(() => {});
  }

  #endTerm(): void {
    this.#keeper.end();
    void this.#controllers.stop();
  }

  async #expire(id: LeaseId): Promise<void> {
    const { placement } = this.#opened;
    await placement.endLease(id, 'expired', { deadlineMs: EXPIRY_DEADLINE_MS, signal: null });
    this.#leasesExpired += 1;
  }

  #installed(revision: Revision): void {
    this.#history.forget();
    this.#hub.reset(revision);
    // The store is open: it has just been written whole. A failing disk shows at the next apply.
    this.#addresses.load(this.#store).catch(() => {});
  }
}
