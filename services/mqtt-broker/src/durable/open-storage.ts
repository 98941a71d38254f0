import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FileSystem,
  MemoryFileSystem,
  nodeFileSystem,
  systemClock,
  systemRandom,
} from '@robustmq/environment';
import { assert } from '@robustmq/errors';
import type { Journal, JournalShard } from '@robustmq/journal';
import { openMemoryJournal } from '@robustmq/journal-memory';
import { openSegmentJournal } from '@robustmq/journal-segment';
import { CheckpointLog } from '@robustmq/record-log';
import { log, logEvents } from '@robustmq/telemetry';
import type { BrokerContext } from '../broker-context.ts';
import { Checkpointer } from './checkpoint.ts';
import { DurableLog } from './durable-log.ts';
import { type JournalPlace, openJournal } from './open-journal.ts';
import { Recovery } from './recovery.ts';
import { WaitingShard } from './waiting-shard.ts';

const SHARD = 'messages';
const CHECKPOINT_SEGMENT_BYTES_MAX = 16 * 1024 * 1024;
const SEGMENT_BYTES_MIN = 1024 * 1024;
/** A small disk gets small segments: only whole ones can be freed. */
const SEGMENTS_PER_DISK = 24;

/** The journal and the checkpoints of one node. */
export interface OpenedStorage {
  readonly shard: JournalShard;
  /** Null when nothing survives a restart anyway. */
  readonly checkpointer: Checkpointer | null;
  /** Kept free for state changes when messages are refused already. */
  readonly reserveBytes: number;
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens what the settings name, rebuilds the state in `context` and sets `context.log`.
 *
 * @throws JournalError or an error with a sentence: in use, unreadable, of a newer version
 */
export async function openStorage(context: BrokerContext): Promise<OpenedStorage> {
  const { storage } = context.settings;
  const { kind } = storage;
  assert(kind !== 'journal', 'the shards of a cluster are opened by the replicated path');
  return kind === 'memory' ? openInMemory(context) : openOnDisk(context, { ...storage, kind });
}

async function openInMemory(context: BrokerContext): Promise<OpenedStorage> {
  const { storage, limits } = context.settings;
  const bytesMax =
    storage.journalBytesMax === 0
      ? limits.memoryBytesMax
      : Math.min(storage.journalBytesMax, limits.memoryBytesMax);
  const journal = openMemoryJournal({
    bytesMax,
    segmentBytesMax: Math.max(1 << 20, bytesMax >> 6),
  });
  const shard = await journal.openShard(SHARD);
  context.log = new DurableLog(context, shard, 'sync');
  return {
    shard,
    checkpointer: null,
    reserveBytes: bytesMax >> 4,
    freeBytes: async () => bytesMax - shard.stats.bytes,
    close: () => journal.close(),
  };
}

/** As on disk, on files that nobody else sees and that go with it: for a broker that lives a moment. */
export async function openOnFilesInMemory(context: BrokerContext): Promise<OpenedStorage> {
  const { storage } = context.settings;
  const fileSystem = new MemoryFileSystem();
  await fileSystem.makeDirectory(storage.directory);
  const segmentBytesMax = SEGMENT_BYTES_MIN;
  const journal = await openSegmentJournal(
    { directory: join(storage.directory, 'journal'), segmentBytesMax },
    { fileSystem, clock: systemClock, random: systemRandom },
  );
  const startedMs = performance.now();
  return recover(context, journal, { startedMs, segmentBytesMax, fileSystem });
}

async function openOnDisk(context: BrokerContext, storage: JournalPlace): Promise<OpenedStorage> {
  const startedMs = performance.now();
  await mkdir(storage.directory, { recursive: true });
  const disk = await statfs(storage.directory);
  const diskBytes = disk.blocks * disk.bsize;
  const segmentBytesMax = Math.max(
    SEGMENT_BYTES_MIN,
    Math.min(storage.segmentBytesMax, Math.floor(diskBytes / SEGMENTS_PER_DISK)),
  );
  const journal = await openJournal(storage, segmentBytesMax, (error) => {
    log(context.logger, logEvents.journalUploadFailed, {
      shard: SHARD,
      detail: error instanceof Error ? error.message : String(error),
    });
  });
  try {
    const fileSystem = nodeFileSystem;
    return await recover(context, journal, { startedMs, segmentBytesMax, fileSystem });
  } catch (error) {
    await journal.close();
    throw error;
  }
}

async function recover(
  context: BrokerContext,
  journal: Journal,
  facts: {
    readonly startedMs: number;
    readonly segmentBytesMax: number;
    readonly fileSystem: FileSystem;
  },
): Promise<OpenedStorage> {
  const { storage } = context.settings;
  const { segmentBytesMax, fileSystem } = facts;
  const shard = new WaitingShard(await journal.openShard(SHARD), ({ message }) =>
    log(context.logger, logEvents.journalUnavailable, { shard: SHARD, detail: message }),
  );
  reportRecovery(context, shard, facts.startedMs);
  if (storage.acknowledge === 'sync' && !journal.capabilities.durable) {
    log(context.logger, logEvents.journalNotFlushed, { shard: shard.name, medium: storage.kind });
  }
  context.log = new DurableLog(context, shard, storage.acknowledge);
  const recovery = new Recovery(context);
  const opened = await CheckpointLog.open(fileSystem, join(storage.directory, 'state'), {
    segmentBytesMax: Math.min(CHECKPOINT_SEGMENT_BYTES_MAX, segmentBytesMax),
    slackBytes: Math.min(2 * CHECKPOINT_SEGMENT_BYTES_MAX, segmentBytesMax),
  });
  reportCheckpoint(context, opened.log);
  for await (const { key, value } of opened.entries) recovery.entry(key, value);
  const summary = await recovery.replay(opened.lastCommit, shard);
  context.logger.sink.debug({ ...summary }, 'state restored');
  const checkpointer = new Checkpointer(context, opened.log, summary.position);
  return {
    shard,
    checkpointer,
    reserveBytes: storage.diskFreeBytesMin,
    freeBytes: () => fileSystem.freeBytes(storage.directory),
    close: async () => {
      await opened.log.close();
      await journal.close();
    },
  };
}

function reportRecovery(context: BrokerContext, shard: JournalShard, startedMs: number): void {
  const { recovery, name } = shard;
  log(context.logger, logEvents.journalRecovered, {
    shard: name,
    records: recovery.recordsScanned,
    oldest: shard.oldest,
    next: shard.next,
    durationMs: Math.round(performance.now() - startedMs),
  });
  if (recovery.truncatedBytes > 0) {
    const { truncatedBytes } = recovery;
    log(context.logger, logEvents.journalTruncated, { shard: name, truncatedBytes });
  }
  for (const { file, reason, first, after } of recovery.quarantined) {
    log(context.logger, logEvents.journalQuarantined, { shard: name, file, reason, first, after });
  }
}

function reportCheckpoint(context: BrokerContext, { recovery }: CheckpointLog): void {
  for (const { file, reason } of recovery.quarantined) {
    log(context.logger, logEvents.journalQuarantined, {
      shard: 'state',
      file,
      reason,
      first: 0,
      after: 0,
    });
  }
}
