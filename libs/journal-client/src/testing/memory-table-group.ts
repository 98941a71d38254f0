/** A keyed shard as its clients see it, without replicas: one content, a leader that a test moves. */
import type { KeyedRecord, KeyedWrite } from '@robustmq/journal';
import { RaftError } from '@robustmq/raft-driver';
import type { NodeId } from '@robustmq/raft';
import type { KeyedReplica, OpenReplica } from '../server/replica-ports.ts';
import type { AppendFault } from './memory-group.ts';

/** One keyed shard on some nodes. */
export class MemoryTableGroup {
  /** Taken from the front, one for each write that reaches the leader. */
  readonly faults: (AppendFault | null)[] = [];
  /** `key=value` of every write that was carried out, repetitions included. */
  readonly carriedOut: string[] = [];
  readonly #records = new Map<string, KeyedRecord>();
  readonly #listeners = new Set<() => void>();
  #leader: number | null;
  #revision = 0;
  #held: (() => void)[] = [];

  constructor(leader: number) {
    this.#leader = leader;
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

  replicaOn(node: number): OpenReplica {
    return {
      kind: 'keyed',
      replica: this.#replica(node),
      life: 1,
      leader: () => this.#leader,
      isLeader: () => this.#leader === node,
      isClosed: () => false,
      onChange: (listener) => {
        this.#listeners.add(listener);
        return { stop: () => void this.#listeners.delete(listener) };
      },
    };
  }

  #replica(node: number): KeyedReplica {
    return {
      write: (writes) => this.#write(node, writes),
      claim: async (key) => ({ taken: true, record: this.#records.get(key) ?? null }),
      read: async (key) => this.#records.get(key) ?? null,
      list: async () => [...this.#records.values()],
      revision: async () => this.#revision,
      openTail: () => {
        throw new Error('the test did not expect a tail');
      },
    };
  }

  async #write(node: number, writes: readonly KeyedWrite[]): Promise<readonly boolean[]> {
    this.#assertLeader(node);
    const fault = this.faults.shift() ?? null;
    if (fault === 'refused') {
      throw new RaftError({ code: 'RAFT_REFUSED', reason: 'overloaded', leader: node as NodeId });
    }
    if (fault === 'held') {
      await new Promise<void>((resume) => this.#held.push(resume));
      this.#assertLeader(node);
    }
    for (const { key, fence, value } of writes) {
      this.#revision += 1;
      this.carriedOut.push(`${key}=${new TextDecoder().decode(value ?? undefined)}`);
      if (value === null) this.#records.delete(key);
      else this.#records.set(key, { key, fence, value, revision: this.#revision });
    }
    if (fault === 'answer lost') {
      throw new RaftError({ code: 'RAFT_OUTCOME_UNKNOWN', detail: 'the answer is lost' });
    }
    return writes.map(() => true);
  }

  #assertLeader(node: number): void {
    if (this.#leader === node) return;
    const leader = this.#leader as NodeId | null;
    throw new RaftError({ code: 'RAFT_REFUSED', reason: 'notLeader', leader });
  }
}
