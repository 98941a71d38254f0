/** A replicated shard as its clients see it, without replicas: one content, a leader that a test moves. */
import { openMemoryJournal } from '@robustmq/journal-memory';
import {
  BATCH_FIELD,
  JournalError,
  type JournalReader,
  type JournalShard,
  type Offset,
  type ProducerName,
  type RecordSelector,
  ShardState,
  readUint64,
  writeUint64,
} from '@robustmq/journal';
import { RaftError } from '@robustmq/raft-driver';
import type { NodeId } from '@robustmq/raft';
import type {
  MessageReplica,
  OpenReplica,
  ReplicaAppend,
  ReplicaAppended,
} from '../server/replica-ports.ts';

/** What a test lets happen to the appends that come. */
export type AppendFault =
  /** It is written, and nobody is told. */
  | 'answer lost'
  /** It is not written, and that is told. */
  | 'refused'
  /** It is not written, because the disk is full. */
  | 'full'
  /** It is acknowledged, and then lost with the leader. */
  | 'lost'
  /** It is neither written nor answered, until `release`. */
  | 'held';

/** One message shard on some nodes. */
export class MemoryGroup {
  /** Taken from the front, one for each append that reaches the leader. */
  readonly faults: (AppendFault | null)[] = [];
  /** Of the shard. */
  life = 1;
  /** By node: how many appends came, refused ones included. */
  readonly arrived: Map<number, number> = new Map();
  readonly #shard: JournalShard;
  readonly #listeners = new Set<() => void>();
  readonly #moves = new Set<() => void>();
  #state: ShardState = new ShardState();
  #leader: number | null;
  #held: (() => void)[] = [];

  private constructor(shard: JournalShard, leader: number) {
    this.#shard = shard;
    this.#leader = leader;
  }

  static async open(leader: number): Promise<MemoryGroup> {
    const journal = openMemoryJournal({ bytesMax: 64 * 1024 * 1024, segmentBytesMax: 1000 });
    return new MemoryGroup(await journal.openShard('shard'), leader);
  }

  /** Of its leader, as everybody learns at once. */
  lead(leader: number | null): void {
    this.#leader = leader;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Lets what was held go on. */
  release(): void {
    for (const resume of this.#held.splice(0)) resume();
  }

  /** As for producers that were idle for long. */
  forgetProducers(): void {
    const { next, oldest } = this.#state;
    this.#state = new ShardState();
    this.#state.next = next;
    this.#state.oldest = oldest;
  }

  replicaOn(node: number): OpenReplica {
    return {
      kind: 'messages',
      replica: this.#replica(node),
      life: this.life,
      leader: () => this.#leader,
      isLeader: () => this.#leader === node,
      isClosed: () => false,
      onChange: (listener) => {
        this.#listeners.add(listener);
        return { stop: () => void this.#listeners.delete(listener) };
      },
    };
  }

  #replica(node: number): MessageReplica {
    const shard = this.#shard;
    const state = (): ShardState => this.#state;
    return {
      get end() {
        return shard.committed;
      },
      get oldest() {
        return Math.max(state().oldest, shard.oldest) as Offset;
      },
      append: (append) => this.#append(node, append),
      committed: async () => {
        this.#assertLeader(node);
        return shard.committed;
      },
      openReader: (from, selector) => this.#reader(from, selector),
      readAt: async (offset) => (offset < state().oldest ? null : shard.readAt(offset)),
      offsetAt: async (atMs) => this.#offsetAt(atMs),
      fence: async (producer: ProducerName) => {
        this.#assertLeader(node);
        state().apply({ kind: 'fence', stampMs: 0, producer }, 0);
      },
      trimBefore: async (offset) => {
        this.#assertLeader(node);
        state().apply({ kind: 'trim', stampMs: 0, offset }, 0);
        await shard.trimBefore(offset);
      },
      onMoved: (listener) => {
        this.#moves.add(listener);
        return { stop: () => void this.#moves.delete(listener) };
      },
    };
  }

  async #append(node: number, append: ReplicaAppend): Promise<ReplicaAppended> {
    this.arrived.set(node, (this.arrived.get(node) ?? 0) + 1);
    const batch = { ...append.batch, bytes: append.batch.bytes.slice() };
    this.#assertLeader(node);
    const fault = this.faults.shift() ?? null;
    if (fault === 'refused') {
      throw new RaftError({ code: 'RAFT_REFUSED', reason: 'overloaded', leader: node as NodeId });
    }
    if (fault === 'full') {
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'disk', detail: 'no room' });
    }
    if (fault === 'held') {
      await new Promise<void>((resume) => this.#held.push(resume));
      this.#assertLeader(node);
    }
    if (fault === 'lost') return { kind: 'appended', base: this.#state.next as Offset };
    const { producer, sequence, mayMissFrom = sequence } = append;
    const stampMs = readUint64(batch.bytes, BATCH_FIELD.appendedAtMs);
    const named = { stampMs, producer, sequence, mayMissFrom };
    const command = { kind: 'append', ...named, batchStart: 0 } as const;
    const outcome = this.#state.apply(command, batch.recordCount);
    if (outcome.kind === 'appended') {
      writeUint64(batch.bytes, BATCH_FIELD.baseOffset, outcome.base);
      writeUint64(batch.bytes, BATCH_FIELD.appendedAtMs, outcome.appendedAtMs);
      await this.#shard.append(batch, 'sync');
      for (const listener of [...this.#moves]) listener();
    }
    if (fault === 'answer lost') {
      throw new RaftError({ code: 'RAFT_OUTCOME_UNKNOWN', detail: 'the answer is lost' });
    }
    switch (outcome.kind) {
      case 'appended':
        return { kind: 'appended', base: outcome.base as Offset };
      case 'duplicate':
        return { kind: 'duplicate', base: outcome.base as Offset | null };
      case 'fenced':
      case 'outOfOrder':
        return outcome;
      default:
        throw new Error(`a test did not expect ${outcome.kind}`);
    }
  }

  #reader(from: Offset, selector: RecordSelector): JournalReader {
    const reader = this.#shard.openReader(from, selector);
    const oldest = (): Offset => this.#state.oldest as Offset;
    return {
      get position() {
        return reader.position;
      },
      read: async (recordsMax, bytesMax) => {
        const requested = reader.position;
        if (requested >= oldest()) return reader.read(recordsMax, bytesMax);
        throw new JournalError({ code: 'JOURNAL_OFFSET_TRIMMED', requested, oldest: oldest() });
      },
    };
  }

  async #offsetAt(atMs: number): Promise<Offset> {
    const reader = this.#shard.openReader(this.#shard.oldest, { kind: 'everything' });
    for (;;) {
      const [record] = await reader.read(1, 1);
      if (record === undefined) return this.#shard.committed;
      if (record.appendedAtMs >= atMs) return record.offset;
    }
  }

  #assertLeader(node: number): void {
    if (this.#leader === node) return;
    const leader = this.#leader as NodeId | null;
    throw new RaftError({ code: 'RAFT_REFUSED', reason: 'notLeader', leader });
  }
}
