import type { DirectoryLock, TimerHandle } from '@robustmq/environment';
import { assert } from '@robustmq/errors';
import type { NodeId } from '@robustmq/raft';
import { openDataDirectory } from '@robustmq/record-log';
import { HostFrames } from './host-frames.ts';
import { deleteGroupFiles } from './delete-group.ts';
import { FlushScheduler } from './flush-scheduler.ts';
import { GroupDriver, type GroupHostPort } from './group-driver.ts';
import { MemberIdentity } from './member-identity.ts';
import { openGroup } from './open-group.ts';
import type { RaftFault, RaftGroup } from './raft-group.ts';
import type { RaftGroupOptions, RaftHost, RaftHostCounters, RaftHostOptions } from './raft-host.ts';
import { ioFault } from './raft-log-store.ts';
import { TickSource } from './tick-source.ts';

const FORMAT = { name: 'robustmq-raft', version: 1 };
const TICK_MS = 100;
const LATE_TURN_MS = 20;
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
const PROPOSAL_BYTES_MAX = 2 * 1024 * 1024;
/** Positions in a segment are 32 bits wide, and a batch has room for one proposal beside others. */
const SEGMENT_BYTES_LIMIT = 1024 * 1024 * 1024;
const PROPOSAL_BYTES_LIMIT = 128 * 1024 * 1024;
const GROUP_NAME = /^[a-z0-9-]{1,100}$/;

/**
 * Opens the data directory for this process.
 *
 * @throws DataDirectoryError  the directory is in use, or of another format
 * @throws RaftError RAFT_LOG_CORRUPT  its identity file is damaged or of another node
 */
export async function openRaftHost(options: RaftHostOptions): Promise<RaftHost> {
  const { environment, directory, clusterId, nodeId } = options;
  const { fileSystem, random } = environment;
  assert((options.segmentBytesMax ?? 0) <= SEGMENT_BYTES_LIMIT, 'segmentBytesMax is too large');
  assert((options.proposalBytesMax ?? 0) <= PROPOSAL_BYTES_LIMIT, 'proposalBytesMax is too large');
  const lock = await openDataDirectory(fileSystem, directory, FORMAT);
  try {
    const isNew = (await fileSystem.list(`${directory}/groups`)).length === 0;
    const place = { fileSystem, random, directory, clusterId, nodeId };
    const identity = await MemberIdentity.open(place, isNew);
    return new Host(options, identity, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class Host implements RaftHost, GroupHostPort {
  readonly nodeId: NodeId;
  readonly memberId: string;
  readonly proposalBytesMax: number;
  readonly ticks: TickSource;
  readonly flushes: FlushScheduler;
  readonly #options: RaftHostOptions;
  readonly #identity: MemberIdentity;
  readonly #lock: DirectoryLock;
  readonly #frames: HostFrames;
  readonly #groups = new Map<number, GroupDriver<unknown>>();
  /** Names and ids that are open or being opened. */
  readonly #taken = new Set<string | number>();
  /** Groups with something to take up in the next turn. */
  readonly #waiting = new Set<GroupDriver<unknown>>();
  #isTurnScheduled = false;
  #lateTurn: TimerHandle | null = null;
  #closing: Promise<void> | null = null;
  #bytesWrittenBefore = 0;
  #snapshotFailuresBefore = 0;

  constructor(options: RaftHostOptions, identity: MemberIdentity, lock: DirectoryLock) {
    this.#options = options;
    this.#identity = identity;
    this.#lock = lock;
    this.nodeId = options.nodeId;
    this.memberId = identity.memberId;
    this.proposalBytesMax = options.proposalBytesMax ?? PROPOSAL_BYTES_MAX;
    const tickMs = options.tickMs ?? TICK_MS;
    this.ticks = new TickSource(options.environment, tickMs, () => this.#tick());
    this.flushes = new FlushScheduler(() => this.#turn());
    this.#frames = new HostFrames(options, identity, {
      groups: this.#groups,
      ticks: this.ticks,
    });
  }

  get counters(): RaftHostCounters {
    let bytesWritten = this.#bytesWrittenBefore;
    let snapshotFailures = this.#snapshotFailuresBefore;
    for (const group of this.#groups.values()) {
      bytesWritten += group.bytesWritten;
      snapshotFailures += group.snapshotFailures;
    }
    const flushes = this.flushes.rounds;
    return { ...this.#frames.counters, snapshotFailures, flushes, bytesWritten };
  }

  async openGroup<Result>(options: RaftGroupOptions<Result>): Promise<RaftGroup<Result>> {
    const { name, groupId } = options;
    assert(GROUP_NAME.test(name), `"${name}" is no name of a group`);
    assert(this.#closing === null, 'the host is closed');
    assert(!this.#taken.has(name) && !this.#taken.has(groupId), `group ${name} is open already`);
    this.#taken.add(name).add(groupId);
    const { environment, directory, segmentBytesMax = SEGMENT_BYTES_MAX } = this.#options;
    const place = {
      environment,
      nodeId: this.nodeId,
      directory: `${directory}/groups/${name}`,
      segmentBytesMax,
      nowTick: this.ticks.now,
    };
    try {
      const opened = await openGroup(place, options);
      const group = new GroupDriver(opened, this);
      this.#groups.set(groupId, group as GroupDriver<unknown>);
      group.leadAlone();
      return group;
    } catch (error) {
      this.#taken.delete(name);
      this.#taken.delete(groupId);
      await Promise.allSettled([options.machine.close()]);
      throw ioFault(error);
    }
  }

  async deleteGroup(name: string): Promise<void> {
    assert(GROUP_NAME.test(name), `"${name}" is no name of a group`);
    assert(!this.#taken.has(name), `group ${name} is open`);
    this.#taken.add(name);
    try {
      const { directory, environment } = this.#options;
      await deleteGroupFiles(environment.fileSystem, `${directory}/groups/${name}`);
    } catch (error) {
      throw ioFault(error);
    } finally {
      this.#taken.delete(name);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  send(groupId: number, message: Parameters<HostFrames['send']>[1]): void {
    this.#frames.send(groupId, message);
  }

  scheduleTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    this.#options.environment.timers.soon(() => this.#turn());
  }

  scheduleLateTurn(): void {
    if (this.#isTurnScheduled || this.#lateTurn !== null || this.#closing !== null) return;
    this.#lateTurn = this.#options.environment.timers.after(LATE_TURN_MS, () => {
      this.#lateTurn = null;
      this.scheduleTurn();
    });
  }

  awaitTurn(group: GroupDriver<unknown>): void {
    this.#waiting.add(group);
    this.scheduleTurn();
  }

  groupFailed(group: GroupDriver<unknown>, fault: RaftFault): void {
    this.#options.onFatal(fault, group.name);
  }

  groupClosed(group: GroupDriver<unknown>): void {
    this.#bytesWrittenBefore += group.bytesWritten;
    this.#snapshotFailuresBefore += group.snapshotFailures;
    this.#groups.delete(group.groupId);
    this.#taken.delete(group.name);
    this.#taken.delete(group.groupId);
  }

  /** What gathered in this turn of the event loop leaves: first the frames, then the writes. */
  #turn(): void {
    this.#isTurnScheduled = true;
    for (const group of this.#waiting) group.takeTurn();
    this.#waiting.clear();
    this.#isTurnScheduled = false;
    this.#frames.flush();
    this.flushes.start();
  }

  #tick(): 'needed' | 'idle' {
    let isNeeded = false;
    for (const group of this.#groups.values()) isNeeded = group.tick() || isNeeded;
    return this.#frames.tick() || isNeeded ? 'needed' : 'idle';
  }

  async #close(): Promise<void> {
    for (const group of [...this.#groups.values()]) await group.close();
    this.ticks.stop();
    this.#lateTurn?.cancel();
    await this.#options.transport.close();
    await this.#identity.settled();
    await this.#lock.release();
  }
}
