/** The clients' side of one node: who waits for which command or read, and what they are told. */
import type { LogIndex, NodeId, ReadReady } from '@robustmq/raft';
import type { BugSwitches } from './bugs.ts';
import { type Command, encodeCommand, type Value } from './command.ts';
import type { SimulatedNode } from './node.ts';

/** What a client hears, if anything. */
export type Reply =
  | { readonly kind: 'done'; readonly result: Value }
  | { readonly kind: 'retry'; readonly leader: NodeId | null };

type Answer = (reply: Reply) => void;

interface WaitingRead {
  readonly key: number;
  readonly answer: Answer;
  /** null until the read index is known. */
  index: LogIndex | null;
}

export class Requests {
  readonly #node: SimulatedNode;
  readonly #bugs: BugSwitches;
  readonly #writes = new Map<string, Answer>();
  readonly #reads = new Map<number, WaitingRead>();
  #readCount = 0;

  constructor(node: SimulatedNode, bugs: BugSwitches) {
    this.#node = node;
    this.#bugs = bugs;
  }

  receive(command: Command, answer: Answer): void {
    if (command.operation.kind === 'get') this.#read(command.operation.key, answer);
    else this.#write(command, answer);
  }

  commandApplied(command: Command, result: Value): void {
    const name = nameOf(command);
    const answer = this.#writes.get(name);
    this.#writes.delete(name);
    answer?.({ kind: 'done', result });
  }

  readsReady(ready: readonly ReadReady[]): void {
    for (const { requestId, index } of ready) {
      const read = this.#reads.get(requestId);
      if (read !== undefined) read.index = this.#bugs.readsBeforeApplied ? (0 as LogIndex) : index;
    }
    if (ready.length > 0) this.applied();
  }

  readsRefused(refused: readonly number[]): void {
    for (const requestId of refused) {
      this.#reads.get(requestId)?.answer({ kind: 'retry', leader: null });
      this.#reads.delete(requestId);
    }
  }

  /** The state machine moved on: reads may be due (Raft thesis §6.4, step 4). */
  applied(): void {
    for (const [requestId, read] of this.#reads) {
      if (read.index === null || read.index > this.#node.appliedIndex) continue;
      this.#reads.delete(requestId);
      read.answer({ kind: 'done', result: this.#node.machine.get(read.key) });
    }
  }

  forget(): void {
    this.#writes.clear();
    this.#reads.clear();
  }

  #read(key: number, answer: Answer): void {
    if (this.#bugs.readsLocally && this.#node.state?.role.kind === 'leader') {
      answer({ kind: 'done', result: this.#node.machine.get(key) });
      return;
    }
    this.#readCount += 1;
    const requestId = this.#readCount;
    this.#reads.set(requestId, { key, answer, index: null });
    this.#node.feed({ kind: 'readIndex', requestId });
  }

  #write(command: Command, answer: Answer): void {
    this.#writes.set(nameOf(command), answer);
    const output = this.#node.feed({ kind: 'propose', payloads: [encodeCommand(command)] });
    if (output?.proposal?.kind === 'refused') {
      this.#writes.delete(nameOf(command));
      answer({ kind: 'retry', leader: output.proposal.leader });
    } else if (this.#bugs.acknowledgesOnAppend) {
      const { operation } = command;
      answer({ kind: 'done', result: operation.kind === 'put' ? operation.value : 1 });
    }
  }
}

function nameOf(command: Command): string {
  return `${command.client}:${command.sequence}`;
}
