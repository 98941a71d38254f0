import type { DataEntry, LogIndex } from '@robustmq/raft';
import type { GroupLog } from './group-log.ts';

/**
 * What a group replicates, as its driver sees it. The driver calls one method at a time.
 *
 * A machine that keeps its state in a database writes the applied index in the same batch as what
 * it applied, unflushed: after a crash the log is replayed from `appliedIndex`.
 */
export interface StateMachine<Result> {
  /**
   * Called once at the opening, when the log is recovered and nothing was applied yet. A machine
   * that has this keeps its content in the log: it may read the log's files, and with
   * `retention: 'owner'` it alone says what the log forgets.
   */
  openLog?(log: GroupLog): Promise<void>;
  /**
   * A file of the log could not be read for a follower. A machine that has this mends it, and the
   * follower waits; without it the group fails.
   */
  logDamaged?(file: string): void;

  /** Of the content found on disk when it was opened; 0 when empty. */
  readonly appliedIndex: LogIndex;

  /**
   * Applies committed entries in order. Entries without data moved the index only: `through` is the
   * index of the last of all, data or not.
   *
   * @returns one result per entry, for whoever proposed it on this node
   */
  apply(entries: readonly DataEntry[], through: LogIndex): Promise<readonly Result[]>;

  /** Makes everything applied durable: then the log may forget it. @returns the index reached */
  flush(): Promise<LogIndex>;

  /** The whole content at one moment; later changes do not show in it. */
  openSnapshot(): Promise<MachineSnapshot>;

  /**
   * Replaces the whole content and its applied index. Durable on return; after a crash in between
   * the old content or the new one is there, never a mixture.
   */
  install(index: LogIndex, content: AsyncIterable<Uint8Array>): Promise<void>;

  close(): Promise<void>;
}

export interface MachineSnapshot {
  readonly index: LogIndex;
  /** Pieces of any size, read once. */
  readonly content: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}
