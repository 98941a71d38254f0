/** What the data plane asks of the replicas on this node, whoever implements them. */
import type {
  AppendAcknowledgement,
  CheckedBatch,
  JournalReader,
  JournalRecord,
  KeyedRecord,
  KeyedTail,
  KeyedWrite,
  Offset,
  ProducerName,
  RecordSelector,
} from '@robustmq/journal';

/**
 * One replica of a message shard. What concerns its group is thrown as `RaftError`: RAFT_REFUSED
 * (nothing was done), RAFT_OUTCOME_UNKNOWN, RAFT_UNAVAILABLE. Deadlines count from the call on.
 */
export interface MessageReplica {
  /** One past the newest record that is committed and applied here. Reads end there. */
  readonly end: Offset;
  readonly oldest: Offset;

  /**
   * On the leader. Calls may overlap, and are committed in their order unless one is refused. The
   * bytes are copied before this returns.
   *
   * @throws JournalError JOURNAL_FULL  nothing was written
   */
  append(append: ReplicaAppend, deadlineMs: number): Promise<ReplicaAppended>;
  /** Everything acknowledged before the call is below the result, and can be read here. */
  committed(deadlineMs: number): Promise<Offset>;
  openReader(from: Offset, selector: RecordSelector): JournalReader;
  readAt(offset: Offset): Promise<JournalRecord | null>;
  offsetAt(atMs: number): Promise<Offset>;
  fence(producer: ProducerName, deadlineMs: number): Promise<void>;
  trimBefore(offset: Offset, deadlineMs: number): Promise<void>;
  /** Called after `end` or `oldest` moved. */
  onMoved(listener: () => void): { stop(): void };
}

/** A batch, and what keeps it in order and single. */
export interface ReplicaAppend {
  readonly producer: ProducerName;
  /** 1 for the first append of an incarnation to this shard, then one more for each. */
  readonly sequence: number;
  readonly batch: CheckedBatch;
  /** When it is answered. */
  readonly acknowledgement: AppendAcknowledgement;
  /** Appends from here on up to this one may be lost. Absent: none may. */
  readonly mayMissFrom?: number;
}

/** What became of an append; nothing but `appended` wrote anything. */
export type ReplicaAppended =
  | { readonly kind: 'appended'; readonly base: Offset }
  /** null: it was written so long ago that its place is forgotten. */
  | { readonly kind: 'duplicate'; readonly base: Offset | null }
  | { readonly kind: 'fenced'; readonly incarnation: number }
  | { readonly kind: 'outOfOrder'; readonly expected: number };

/** One replica of a keyed shard; faults as above. Everything but the tail is done on the leader. */
export interface KeyedReplica {
  /** @throws JournalError JOURNAL_FULL */
  write(writes: readonly KeyedWrite[], deadlineMs: number): Promise<readonly boolean[]>;
  claim(
    key: string,
    fence: number,
    deadlineMs: number,
  ): Promise<{ readonly taken: boolean; readonly record: KeyedRecord | null }>;
  read(key: string, deadlineMs: number): Promise<KeyedRecord | null>;
  list(after: string | null, limit: number, deadlineMs: number): Promise<readonly KeyedRecord[]>;
  revision(deadlineMs: number): Promise<number>;
  /** What is committed and applied here, from `after` on; `next` waits. */
  openTail(after: number): KeyedTail;
}

/** A replica that is open on this node. */
export type OpenReplica = ReplicaOf<'messages', MessageReplica> | ReplicaOf<'keyed', KeyedReplica>;

interface ReplicaOf<Kind extends string, Replica> {
  readonly kind: Kind;
  readonly replica: Replica;
  /** Of the shard: when it is deleted and made again under its name, it has another; never 0. */
  readonly life: number;
  /** The node that leads, as far as this one knows. */
  leader(): number | null;
  isLeader(): boolean;
  /** Called after the leader changed, and after the replica was closed. */
  onChange(listener: () => void): { stop(): void };
  isClosed(): boolean;
}

/** Where requests find the replicas. */
export interface ReplicaDirectory {
  /** null: none is open here under this name. */
  replicaOf(shard: string): OpenReplica | null;
  /** As `host:port`; null: not known. */
  addressOf(node: number): string | null;
}
