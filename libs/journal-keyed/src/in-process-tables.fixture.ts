/** Keyed shards over replicas in this process: finds the leader, and repeats what was refused. */
import { systemClock, systemTimers } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type {
  KeyedRecord,
  KeyedShard,
  KeyedTail,
  KeyedWrite,
  SharedJournal,
  SharedShard,
} from '@robustmq/journal';
import { RaftError } from '@robustmq/raft-driver';
import type { ClaimOutcome, KeyedReplica } from './keyed-replica.ts';

const REPEAT_AFTER_MS = 5;

/** One process, which reads and tails its own replica of each table and writes to whichever leads. */
export class InProcessTables implements SharedJournal {
  readonly #tables: ReadonlyMap<string, readonly KeyedReplica[]>;
  readonly #own: number;
  readonly #tails = new Set<KeyedTail>();
  #isClosed = false;

  /** @param own  which of the replicas of each table it reads */
  constructor(tables: ReadonlyMap<string, readonly KeyedReplica[]>, own: number) {
    this.#tables = tables;
    this.#own = own;
  }

  openShard(): Promise<SharedShard> {
    return Promise.reject(new Error('there are no message shards here'));
  }

  async openTable(name: string): Promise<KeyedShard> {
    const replicas = this.#tables.get(name) ?? [];
    const own = replicas[this.#own] as KeyedReplica;
    let last: Promise<unknown> = Promise.resolve();
    // One at a time: what is repeated must not be overtaken by what was called later.
    const onLeader = <Answer>(
      ask: (replica: KeyedReplica) => Promise<Answer>,
      deadlineMs: number,
    ): Promise<Answer> => {
      const answer = last.then(() => this.#onLeader({ name, replicas, deadlineMs }, ask));
      last = answer.catch(() => undefined);
      return answer;
    };
    return {
      name,
      write: (writes: readonly KeyedWrite[], deadlineMs): Promise<readonly boolean[]> =>
        onLeader((replica) => replica.write(writes, deadlineMs), deadlineMs),
      claim: (key, fence, deadlineMs): Promise<ClaimOutcome> =>
        onLeader((replica) => replica.claim(key, fence, deadlineMs), deadlineMs),
      read: (key, deadlineMs): Promise<KeyedRecord | null> =>
        this.#open(() => own.read(key, deadlineMs)),
      list: (after, limit, deadlineMs): Promise<readonly KeyedRecord[]> =>
        this.#open(() => own.list(after, limit, deadlineMs)),
      revision: (deadlineMs): Promise<number> => this.#open(() => own.revision(deadlineMs)),
      openTail: (after): KeyedTail => {
        const tail = own.openTail(after);
        this.#tails.add(tail);
        return tail;
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const tail of this.#tails) tail.close();
  }

  #open<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    return this.#isClosed ? Promise.reject(new JournalError({ code: 'JOURNAL_CLOSED' })) : ask();
  }

  async #onLeader<Answer>(
    table: {
      readonly name: string;
      readonly replicas: readonly KeyedReplica[];
      readonly deadlineMs: number;
    },
    ask: (replica: KeyedReplica) => Promise<Answer>,
  ): Promise<Answer> {
    const { name, replicas, deadlineMs } = table;
    const endMs = systemClock.monotonicMs() + deadlineMs;
    for (;;) {
      const leader = replicas.find(({ status }) => status.raft.role === 'leader');
      try {
        if (leader !== undefined) return await this.#open(() => ask(leader));
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
      }
      if (systemClock.monotonicMs() > endMs) {
        throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: name, detail: 'no leader' });
      }
      await new Promise<void>((resolve) => systemTimers.after(REPEAT_AFTER_MS, resolve));
    }
  }
}
