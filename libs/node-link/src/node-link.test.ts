import { Message, Router } from '@robustmq/broker';
import type { Timers } from '@robustmq/environment';
import { describe, expect, test } from 'vitest';
import type { FrameTransport, SendOutcome } from './frame-transport.ts';
import { readFrame } from './link-frame.ts';
import { NodeLink, NodeLinkError } from './node-link.ts';

/** A link whose transport and time the test moves. */
class Bench {
  readonly frames: Uint8Array[] = [];
  outcome: SendOutcome = 'taken';
  readonly counters = { messagesSent: 0, messagesDropped: 0, messagesLost: 0 };
  readonly link: NodeLink;
  readonly #soon: (() => void)[] = [];
  readonly #later = new Set<() => void>();

  constructor(bytesMax: number) {
    const transport: FrameTransport = {
      listen: () => {},
      setPeers: () => {},
      send: (_to, frame) => {
        if (this.outcome !== 'down') this.frames.push(frame);
        return this.outcome;
      },
      pause: () => {},
      resume: () => {},
      close: async () => {},
    };
    const timers: Timers = {
      after: (_milliseconds, action) => {
        this.#later.add(action);
        return { cancel: () => this.#later.delete(action) };
      },
      every: () => ({ cancel: () => {} }),
      soon: (action) => this.#soon.push(action),
    };
    this.link = new NodeLink(2, { transport, timers, counters: this.counters, bytesMax });
    this.link.wentUp();
  }

  endTurn(): void {
    for (const action of this.#soon.splice(0)) action();
  }

  passDeadlines(): void {
    for (const action of [...this.#later]) {
      this.#later.delete(action);
      action();
    }
  }

  get timersSet(): number {
    return this.#later.size;
  }

  entries(): number {
    let count = 0;
    const add = (): void => void (count += 1);
    for (const frame of this.frames) {
      readFrame(frame, { message: add, packets: add, shared: add, request: add, reply: add });
    }
    return count;
  }
}

function message(qos: number, payloadBytes: number): Message {
  const router = new Router({
    topicsCachedMax: 10,
    strategy: 'round_robin',
    encode: (name) => new TextEncoder().encode(name),
  });
  const made = new Message(router.topicOf('t'));
  made.qos = qos;
  made.payloadBytes = new Uint8Array(payloadBytes);
  made.payloadEnd = payloadBytes;
  return made;
}

async function faultOf(question: Promise<unknown>): Promise<string> {
  try {
    await question;
  } catch (error) {
    if (error instanceof NodeLinkError) return error.fault.code;
    throw error;
  }
  return 'answered';
}

describe('a node link', () => {
  test('sends what one turn has gathered as one frame', () => {
    const bench = new Bench(1000);
    for (let index = 0; index < 5; index += 1) bench.link.send(message(1, 10), 'p', 0);
    expect(bench.frames).toEqual([]);
    bench.endTurn();
    expect([bench.frames.length, bench.entries()]).toEqual([1, 5]);
  });

  test('does not wait for the end of the turn with what has become large', () => {
    const bench = new Bench(1024 * 1024);
    for (let index = 0; index < 9; index += 1) bench.link.send(message(1, 10_000), 'p', 0);
    expect(bench.frames.length).toBe(1);
    bench.endTurn();
    expect([bench.frames.length, bench.entries()]).toEqual([2, 9]);
  });

  test('to a peer that is behind drops QoS 0 at its limit, lets publishers wait before, and bounds the rest', () => {
    const bench = new Bench(1000);
    bench.outcome = 'blocked';
    bench.link.send(message(0, 1), 'p', 0);
    bench.endTurn();
    expect(bench.link.isCongested).toBe(false);
    for (let index = 0; index < 6; index += 1) bench.link.send(message(1, 100), 'p', 0);
    expect(bench.link.isCongested).toBe(true);
    for (let index = 0; index < 10; index += 1) bench.link.send(message(0, 100), 'p', 0);
    const dropped = bench.counters.messagesDropped;
    expect(dropped).toBeGreaterThan(4);
    for (let index = 0; index < 30; index += 1) bench.link.send(message(1, 100), 'p', 0);
    expect(bench.counters.messagesLost).toBeGreaterThan(10);
    expect(bench.link.waitingBytes).toBeLessThan(2_200);
    bench.endTurn();
    expect(bench.frames.length).toBe(1);
    bench.outcome = 'taken';
    bench.link.drained();
    bench.endTurn();
    expect(bench.entries()).toBe(bench.counters.messagesSent);
    expect(bench.link.isCongested).toBe(false);
  });

  test('that goes down counts acknowledged messages as lost and fails questions', async () => {
    const bench = new Bench(1000);
    bench.link.send(message(1, 1), 'p', 0);
    bench.link.send(message(0, 1), 'p', 0);
    const question = faultOf(bench.link.ask(Uint8Array.of(1), 5));
    bench.link.wentDown();
    expect(await question).toBe('NODE_LINK_DOWN');
    expect(bench.counters.messagesLost).toBe(1);
    bench.link.send(message(2, 1), 'p', 0);
    expect(bench.counters.messagesLost).toBe(2);
    expect(await faultOf(bench.link.ask(Uint8Array.of(1), 5))).toBe('NODE_LINK_DOWN');
    expect(bench.timersSet).toBe(0);
  });

  test('gives each question its answer, a refusal, or its deadline', async () => {
    const bench = new Bench(1000);
    const first = bench.link.ask(Uint8Array.of(1), 5);
    const second = faultOf(bench.link.ask(Uint8Array.of(2), 5));
    const third = faultOf(bench.link.ask(Uint8Array.of(3), 5));
    bench.endTurn();
    bench.link.answered(2, null);
    bench.link.answered(1, Uint8Array.of(9));
    bench.link.answered(1, Uint8Array.of(8));
    expect([...(await first)]).toEqual([9]);
    expect(await second).toBe('NODE_LINK_REFUSED');
    bench.passDeadlines();
    expect(await third).toBe('NODE_LINK_TIMEOUT');
    expect(bench.timersSet).toBe(0);
  });
});
