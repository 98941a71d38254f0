/** The clients' side of one node: who waits for which command or read, and what they are told. */
import {
  type Command,
  type CommandResult,
  encodeCommand,
  type LeaseId,
  type Revision,
} from '@robustmq/placement';
import type { ProducerName, ShardOutcome } from '@robustmq/journal';
import type { LogIndex, NodeId, ReadReady } from '@robustmq/raft';
import type { BugSwitches } from './bugs.ts';
import { requestNameOf } from './client-command.ts';
import type { Value } from './history.ts';
import type { SimulatedNode } from './node.ts';
import { appendEntry, fenceEntry, trimEntry } from './shard-log.ts';

export type Request =
  | { readonly kind: 'read'; readonly key: string }
  | { readonly kind: 'propose'; readonly command: Command }
  | { readonly kind: 'keepLease'; readonly id: LeaseId }
  | ShardRequest;

/** What a producer asks of the shard; the stamp is the same in every copy. */
export type ShardRequest =
  | {
      readonly kind: 'append';
      readonly producer: ProducerName;
      readonly sequence: number;
      readonly stampMs: number;
    }
  | { readonly kind: 'fence'; readonly producer: ProducerName; readonly stampMs: number }
  | { readonly kind: 'trim'; readonly offset: number; readonly stampMs: number };

/** What a client hears, if anything. */
export type Reply =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'outcome'; readonly outcome: CommandResult }
  | { readonly kind: 'shard'; readonly outcome: ShardOutcome }
  | { readonly kind: 'kept' }
  /** The lease to be kept has ended, or is about to. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'retry'; readonly leader: NodeId | null };

export type Answer = (reply: Reply) => void;

interface WaitingBarrier {
  readonly passed: (confirmed: boolean) => void;
  /** null until the read index is known. */
  index: LogIndex | null;
}

export class Requests {
  readonly #node: SimulatedNode;
  readonly #bugs: BugSwitches;
  readonly #writes = new Map<string, Answer>();
  readonly #barriers = new Map<number, WaitingBarrier>();
  #barrierCount = 0;

  constructor(node: SimulatedNode, bugs: BugSwitches) {
    this.#node = node;
    this.#bugs = bugs;
  }

  receive(request: Request, answer: Answer): void {
    switch (request.kind) {
      case 'read':
        return this.#read(request.key, answer);
      case 'propose':
        return this.#propose(request.command, answer);
      case 'keepLease':
        return this.#node.leases.keep(request.id, answer);
      default:
        return this.#proposeToShard(request, answer);
    }
  }

  /** Waits until this node shows everything acknowledged before the call (Raft thesis §6.4). */
  barrier(passed: (confirmed: boolean) => void): void {
    this.#barrierCount += 1;
    const requestId = this.#barrierCount;
    this.#barriers.set(requestId, { passed, index: null });
    this.#node.feed({ kind: 'readIndex', requestId });
  }

  commandApplied(command: Command, outcome: CommandResult): void {
    const name = requestNameOf(command);
    if (name === null) return;
    const answer = this.#writes.get(name);
    this.#writes.delete(name);
    answer?.({ kind: 'outcome', outcome });
  }

  /** The entry of the shard was applied here. */
  shardApplied(entry: Uint8Array, outcome: ShardOutcome): void {
    const name = shardNameOf(entry);
    const answer = this.#writes.get(name);
    this.#writes.delete(name);
    answer?.({ kind: 'shard', outcome });
  }

  readsReady(ready: readonly ReadReady[]): void {
    for (const { requestId, index } of ready) {
      const waiting = this.#barriers.get(requestId);
      if (waiting === undefined) continue;
      waiting.index = this.#bugs.readsBeforeApplied ? (0 as LogIndex) : index;
    }
    if (ready.length > 0) this.applied();
  }

  readsRefused(refused: readonly number[]): void {
    for (const requestId of refused) {
      const waiting = this.#barriers.get(requestId);
      this.#barriers.delete(requestId);
      waiting?.passed(false);
    }
  }

  /** The state machine moved on: reads may be due (Raft thesis §6.4, step 4). */
  applied(): void {
    for (const [requestId, { index, passed }] of this.#barriers) {
      if (index === null || index > this.#node.appliedIndex) continue;
      this.#barriers.delete(requestId);
      passed(true);
    }
  }

  forget(): void {
    this.#writes.clear();
    this.#barriers.clear();
  }

  #read(key: string, answer: Answer): void {
    const tell = (): void => answer({ kind: 'value', value: this.#node.machine.get(key) });
    if (this.#bugs.readsLocally && this.#node.state?.role.kind === 'leader') return tell();
    this.barrier((confirmed) => {
      if (confirmed) tell();
      else answer({ kind: 'retry', leader: null });
    });
  }

  #proposeToShard(request: ShardRequest, answer: Answer): void {
    const entry = entryFor(request);
    const name = shardNameOf(entry);
    this.#writes.set(name, answer);
    const base = this.#node.machine.shard.next;
    const output = this.#node.feed({ kind: 'propose', payloads: [entry] });
    if (output?.proposal?.kind === 'refused') {
      this.#writes.delete(name);
      answer({ kind: 'retry', leader: output.proposal.leader });
    } else if (this.#bugs.acknowledgesOnAppend) {
      const outcome = { kind: 'appended', base, appendedAtMs: request.stampMs } as const;
      answer({ kind: 'shard', outcome });
    }
  }

  #propose(command: Command, answer: Answer): void {
    const name = requestNameOf(command);
    if (name !== null) this.#writes.set(name, answer);
    const output = this.#node.feed({ kind: 'propose', payloads: [encodeCommand(command)] });
    if (output?.proposal?.kind === 'refused') {
      if (name !== null) this.#writes.delete(name);
      answer({ kind: 'retry', leader: output.proposal.leader });
    } else if (this.#bugs.acknowledgesOnAppend && command.kind === 'transact') {
      const revision = 0 as Revision;
      const result = { revision, succeeded: true, results: [], repeated: false };
      answer({ kind: 'outcome', outcome: { kind: 'transacted', result } });
    }
  }
}

function entryFor(request: ShardRequest): Uint8Array {
  switch (request.kind) {
    case 'append':
      return appendEntry(request.producer, request.sequence, request.stampMs);
    case 'fence':
      return fenceEntry(request.producer, request.stampMs);
    case 'trim':
      return trimEntry(request.offset, request.stampMs);
  }
}

/** Copies of one request have one name, and nothing else has it. */
function shardNameOf(entry: Uint8Array): string {
  let name = 'shard';
  // A batch is empty here: what is left is short.
  for (const byte of entry) name += String.fromCharCode(byte);
  return name;
}
