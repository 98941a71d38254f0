/** Brings a group to life from what its directory holds, or founds it there. */
import { assert } from '@robustmq/errors';
import {
  bootstrapSnapshot,
  configurationOf,
  defaultRaftOptions,
  type LogIndex,
  newRaftState,
  type NodeId,
  type RaftState,
  type SnapshotMetadata,
} from '@robustmq/raft';
import { groupLogOf } from './group-log.ts';
import { parseSegmentName } from './log-format.ts';
import { corrupt, recoverLog, type RecoveredLog } from './log-recovery.ts';
import type { CompactionOptions, RaftEnvironment, RaftGroupOptions } from './raft-host.ts';
import { RaftLogStore } from './raft-log-store.ts';
import type { SnapshotPlace } from './snapshot-file.ts';
import { SnapshotFiles } from './snapshot-files.ts';
import { readSnapshotMetadata, writeSnapshotMetadata } from './snapshot-metadata.ts';
import type { StateMachine } from './state-machine.ts';

export interface GroupPlace {
  readonly environment: RaftEnvironment;
  readonly nodeId: NodeId;
  readonly directory: string;
  readonly segmentBytesMax: number;
  readonly nowTick: number;
}

const COMPACTION: CompactionOptions = {
  logBytesMax: 64 * 1024 * 1024,
  logEntriesMax: 100_000,
  slackEntries: 10_000,
};

export interface OpenedGroup<Result> {
  readonly name: string;
  readonly groupId: number;
  readonly snapshotPlace: SnapshotPlace;
  readonly files: SnapshotFiles;
  /** Null: the owner says when. */
  readonly compaction: CompactionOptions | null;
  readonly admitsEntries: () => boolean;
  readonly machine: StateMachine<Result>;
  readonly appliedIndex: LogIndex;
  readonly state: RaftState;
  readonly log: RaftLogStore;
  /** Where request ids of this run begin. */
  readonly firstRequest: number;
}

/** @throws RaftError RAFT_LOG_CORRUPT, RAFT_IO_FAILED, RAFT_FULL */
export async function openGroup<Result>(
  place: GroupPlace,
  options: RaftGroupOptions<Result>,
): Promise<OpenedGroup<Result>> {
  const { environment, directory, nodeId } = place;
  const segmentBytesMax = options.segmentBytesMax ?? place.segmentBytesMax;
  const { fileSystem, random } = environment;
  const { name, groupId, machine } = options;
  await fileSystem.makeDirectory(directory);
  const snapshotPlace = { fileSystem, directory, groupId };
  const files = new SnapshotFiles(snapshotPlace);
  await files.open(place.nowTick);
  const stored = await openSnapshotMetadata(place, options);
  const found = { snapshot: stored, files };
  const { snapshot, appliedIndex } = await withNewestFile(snapshotPlace, found, machine);
  const keepAfter = Math.max(snapshot.last.index, appliedIndex) as LogIndex;
  const recovered = await recoverLog(fileSystem, directory, keepAfter);
  if (recovered.segments.length === 0 && stored.last.index > 0) {
    throw corrupt(directory, 0, `there is a snapshot at ${stored.last.index}, but no log`);
  }
  checkAgainstMachine(recovered, snapshot, { appliedIndex, directory });
  const log = await RaftLogStore.open(
    { fileSystem, random, directory, segmentBytesMax },
    recovered,
  );
  if (machine.openLog !== undefined) {
    log.trackPlaces();
    await machine.openLog(groupLogOf(log, fileSystem));
  }
  const state = newRaftState({
    id: nodeId,
    options: { ...defaultRaftOptions, ...options.raftOptions },
    seed: random.uint32(),
    hardState: recovered.hardState,
    snapshot,
    logBase: recovered.base,
    earlier: recovered.earlier,
    entries: recovered.entries,
    appliedIndex,
  });
  // Far apart from those of other runs, so that a late answer to one of them does not fit.
  const firstRequest = random.uint32() * 0x10_0000;
  const compaction =
    options.retention === 'owner' ? null : { ...COMPACTION, ...options.compaction };
  const shared = { name, groupId, machine, appliedIndex, state, log, firstRequest };
  const admitsEntries = options.admitsEntries ?? (() => true);
  return { ...shared, snapshotPlace, files, compaction, admitsEntries };
}

/**
 * A snapshot file newer than the metadata was finished right before a crash: what comes after it
 * is done again.
 */
async function withNewestFile<Result>(
  place: SnapshotPlace,
  found: { readonly snapshot: SnapshotMetadata; readonly files: SnapshotFiles },
  machine: StateMachine<Result>,
): Promise<{ readonly snapshot: SnapshotMetadata; readonly appliedIndex: LogIndex }> {
  const { snapshot, files } = found;
  const { newest } = files;
  const { appliedIndex } = machine;
  const index = newest?.metadata.last.index ?? snapshot.last.index;
  if (newest === null || index < snapshot.last.index) return { snapshot, appliedIndex };
  if (appliedIndex < index) await machine.install(index, newest.content());
  else await machine.flush();
  if (index > snapshot.last.index) {
    await writeSnapshotMetadata(place, place.groupId, newest.metadata);
  }
  const reached = Math.max(index, appliedIndex) as LogIndex;
  return { snapshot: newest.metadata, appliedIndex: reached };
}

/** The newest snapshot; founds the group where there is nothing. */
async function openSnapshotMetadata<Result>(
  place: GroupPlace,
  { groupId, machine, bootstrap }: RaftGroupOptions<Result>,
): Promise<SnapshotMetadata> {
  const { fileSystem } = place.environment;
  const { directory } = place;
  const found = await readSnapshotMetadata({ fileSystem, directory }, groupId);
  if (found !== null) return found;
  const names = await fileSystem.list(directory);
  if (names.some((each) => parseSegmentName(each) !== null)) {
    throw corrupt(`${directory}/snapshot`, 0, 'the file is gone, but there is a log beside it');
  }
  if (machine.appliedIndex > 0) {
    throw corrupt(
      directory,
      0,
      `the state machine has applied ${machine.appliedIndex} entries of a log that is gone`,
    );
  }
  if (bootstrap.kind === 'found') {
    assert(bootstrap.voters.includes(place.nodeId), 'a founder is a voter of its group');
  }
  const configuration = bootstrap.kind === 'found' ? configurationOf(bootstrap.voters) : null;
  const snapshot = bootstrapSnapshot(configuration);
  await writeSnapshotMetadata({ fileSystem, directory }, groupId, snapshot);
  return snapshot;
}

function checkAgainstMachine(
  { base, last }: RecoveredLog,
  snapshot: SnapshotMetadata,
  { appliedIndex, directory }: { readonly appliedIndex: LogIndex; readonly directory: string },
): void {
  const covered = snapshot.last.index;
  if (base.index > covered) {
    throw corrupt(
      directory,
      0,
      `the log begins after ${base.index}, the snapshot ends at ${covered}`,
    );
  }
  if (appliedIndex < covered) {
    throw corrupt(
      directory,
      0,
      `the state machine has applied ${appliedIndex}, but the log before ${covered} is gone`,
    );
  }
  const end = Math.max(last.index, covered);
  if (appliedIndex > end) {
    throw corrupt(
      directory,
      0,
      `the state machine has applied ${appliedIndex}, but the log ends at ${end}`,
    );
  }
}
