/**
 * The way to one other broker: live messages in batches, and questions with answers.
 *
 *     messages, questions, answers ─▶ frames, one per turn of the event loop or more ─▶ transport
 *                                          │ the peer is behind
 *                                          ▼
 *                     from half of `bytesMax` on publishers are to wait; at it QoS 0 is dropped and
 *                     counted, at twice of it QoS 1 and 2
 *
 * Order: whatever is said to one peer arrives in the order in which it was said, or not at all. When
 * the connection ends, what it has not taken is lost and counted: nothing that must survive travels here.
 */

import type { Message } from '@robustmq/broker';
import type { TimerHandle, Timers } from '@robustmq/environment';
import { FrameWriter } from './frame-writer.ts';
import type { FrameTransport } from './frame-transport.ts';

/** Why a question has no answer. */
export class NodeLinkError extends Error {
  override readonly name = 'NodeLinkError';
  readonly fault: NodeLinkFault;

  constructor(fault: NodeLinkFault) {
    super(describe(fault));
    this.fault = fault;
  }
}

export type NodeLinkFault =
  /** The question was not sent, or its answer can't come any more: it may have been acted on. */
  | { readonly code: 'NODE_LINK_DOWN'; readonly node: number }
  | { readonly code: 'NODE_LINK_TIMEOUT'; readonly node: number; readonly deadlineMs: number }
  /** The peer refused to answer. */
  | { readonly code: 'NODE_LINK_REFUSED'; readonly node: number };

function describe(fault: NodeLinkFault): string {
  switch (fault.code) {
    case 'NODE_LINK_DOWN':
      return `there is no connection to broker ${fault.node}`;
    case 'NODE_LINK_TIMEOUT':
      return `broker ${fault.node} did not answer within ${fault.deadlineMs} ms`;
    case 'NODE_LINK_REFUSED':
      return `broker ${fault.node} refused to answer`;
  }
}

/** Since the start, over all peers. */
export interface NodeLinkCounters {
  messagesSent: number;
  /** QoS 0 for which a peer that is behind had no room. */
  messagesDropped: number;
  /** QoS 1 and 2 that were lost with a connection, found none, or found no room. */
  messagesLost: number;
}

/** A frame leaves before its turn ends at this size: one read of 64 KiB takes it whole. */
const FRAME_BYTES_SOFT_MAX = 56 * 1024;
/** LIMIT: questionsMax */
const QUESTIONS_MAX = 100_000;

interface Waiting {
  readonly answer: (bytes: Uint8Array) => void;
  readonly fail: (error: NodeLinkError) => void;
  readonly timer: TimerHandle;
}

export class NodeLink {
  readonly node: number;
  isUp = false;
  readonly #transport: FrameTransport;
  readonly #timers: Timers;
  readonly #counters: NodeLinkCounters;
  /** LIMIT: nodeLinkBytesMax */
  readonly #bytesMax: number;
  readonly #writer = new FrameWriter();
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #scheduled = false;
  #blocked = false;
  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  constructor(
    node: number,
    parts: {
      readonly transport: FrameTransport;
      readonly timers: Timers;
      readonly counters: NodeLinkCounters;
      readonly bytesMax: number;
    },
  ) {
    this.node = node;
    this.#transport = parts.transport;
    this.#timers = parts.timers;
    this.#counters = parts.counters;
    this.#bytesMax = parts.bytesMax;
  }

  /** Publishers are to wait: the peer has been behind for a while. */
  get isCongested(): boolean {
    return this.#writer.length > this.#bytesMax / 2;
  }

  /** Bytes that wait for the peer. */
  get waitingBytes(): number {
    return this.#writer.length;
  }

  /** The message is borrowed. */
  send(message: Message, publisherId: string, nowMs: number): void {
    if (!this.#admits(message)) return;
    this.#writer.message(message, publisherId, nowMs);
    this.#gathered();
  }

  sendShared(
    message: Message,
    publisherId: string,
    to: { readonly group: string; readonly slot: number; readonly nowMs: number },
  ): void {
    if (!this.#admits(message)) return;
    this.#writer.shared(message, publisherId, to);
    this.#gathered();
  }

  /** @throws NodeLinkError */
  ask(question: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    const { node } = this;
    if (!this.isUp || this.#waiting.size >= QUESTIONS_MAX) {
      return Promise.reject(new NodeLinkError({ code: 'NODE_LINK_DOWN', node }));
    }
    const id = this.#nextId;
    this.#nextId += 1;
    this.#writer.request(id, question);
    this.#schedule();
    return new Promise((answer, fail) => {
      const timer = this.#timers.after(deadlineMs, () => {
        this.#waiting.delete(id);
        fail(new NodeLinkError({ code: 'NODE_LINK_TIMEOUT', node, deadlineMs }));
      });
      this.#waiting.set(id, { answer, fail, timer });
    });
  }

  /** @param answer  null: refused */
  reply(id: number, answer: Uint8Array | null): void {
    if (!this.isUp) return;
    this.#writer.reply(id, answer);
    this.#schedule();
  }

  answered(id: number, answer: Uint8Array | null): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    if (answer !== null) waiting.answer(answer.slice());
    else waiting.fail(new NodeLinkError({ code: 'NODE_LINK_REFUSED', node: this.node }));
  }

  wentUp(): void {
    this.isUp = true;
    this.#blocked = false;
    this.#schedule();
  }

  wentDown(): void {
    this.isUp = false;
    this.#blocked = false;
    this.#counters.messagesLost += this.#writer.acknowledged;
    this.#writer.take();
    const { node } = this;
    for (const [id, waiting] of [...this.#waiting]) {
      this.#waiting.delete(id);
      waiting.timer.cancel();
      waiting.fail(new NodeLinkError({ code: 'NODE_LINK_DOWN', node }));
    }
  }

  drained(): void {
    this.#blocked = false;
    this.#schedule();
  }

  #admits(message: Message): boolean {
    if (!this.isUp) {
      if (message.qos > 0) this.#counters.messagesLost += 1;
      else this.#counters.messagesDropped += 1;
      return false;
    }
    // QoS 1 and 2 have as much again: their publishers wait from half of the limit on.
    if (this.#writer.length > this.#bytesMax * (message.qos > 0 ? 2 : 1)) {
      if (message.qos > 0) this.#counters.messagesLost += 1;
      else this.#counters.messagesDropped += 1;
      return false;
    }
    this.#counters.messagesSent += 1;
    return true;
  }

  /** A frame leaves with the turn, or when it is large: what was just written is still in the cache. */
  #gathered(): void {
    if (this.#writer.length >= FRAME_BYTES_SOFT_MAX) this.#flush();
    else this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#blocked || this.#writer.length === 0) return;
    this.#scheduled = true;
    this.#timers.soon(this.#flushNow);
  }

  #flush(): void {
    if (this.#blocked || !this.isUp || this.#writer.length === 0) return;
    const lost = this.#writer.acknowledged;
    const outcome = this.#transport.send(this.node, this.#writer.take());
    if (outcome === 'blocked') this.#blocked = true;
    else if (outcome === 'down') this.#counters.messagesLost += lost;
  }
}
