import { Delivery, Message, Router, Subscription } from '@robustmq/broker';
import { JournalError, type JournalShard, type Offset, type RecordBatch } from '@robustmq/journal';
import { openMemoryJournal } from '@robustmq/journal-memory';
import { ExchangeState } from '@robustmq/mqtt-session';
import { describe, expect, test } from 'vitest';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import { ClientSession } from '../session/client-session.ts';
import { DurableLog } from './durable-log.ts';
import { consumerOf, embeddedLog } from './embedded-log.ts';
import { LogConsumer } from './log-consumer.ts';
import { RECORD_KIND } from './operations.ts';
import { SessionConsumer } from './session-consumer.ts';

const PUBACK = 0x40;

/** The log with as much of a broker around it as it asks, over a journal whose disk may fill. */
class Bench {
  readonly said: string[] = [];
  readonly router = new Router({
    topicsCachedMax: 10,
    strategy: 'round_robin',
    encode: (name) => new TextEncoder().encode(name),
  });
  readonly sessions: ClientSession[] = [];
  readonly dirtySessions = new Set<ClientSession>();
  readonly context: BrokerContext;
  readonly connection: ClientConnection;
  diskIsFull = false;

  constructor() {
    const { said, dirtySessions } = this;
    this.context = {
      router: this.router,
      settings: { limits: { outputBytesMax: 1000 } },
      histograms: { journalFlushNs: { observe() {} }, journalCommitRecords: { observe() {} } },
      sessions: { all: () => this.sessions.values() },
      groups: { rewindTo() {} },
      counters: {},
      encoder: { load() {}, write() {} },
      access: { revision: 1, mayReceive: () => true },
      nowMs: () => 1,
      scheduleFlush() {},
      flushOutput() {},
      relievePublishers() {},
      journalFull() {},
      roomAvailable() {},
      markDirty: (session: ClientSession) => dirtySessions.add(session),
    } as unknown as BrokerContext;
    this.connection = {
      waitingAcknowledgements: 0,
      waitingPubacks: 0,
      session: null,
      writeAcknowledgementWithReason: (_header: number, id: number) => said.push(`accepted ${id}`),
      refuseMessage: (_header: number, id: number) => said.push(`refused ${id}`),
    } as unknown as ClientConnection;
  }

  async open(): Promise<DurableLog> {
    const inner = await openMemoryJournal({ bytesMax: 1e6, segmentBytesMax: 1e5 }).openShard('x');
    // Offsets of an append that fails are taken until it has failed.
    let promised = 0;
    const append = async (batch: RecordBatch): Promise<Offset> => {
      if (!this.diskIsFull) return inner.append(batch, 'sync');
      promised = batch.recordCount;
      await new Promise((resolve) => setImmediate(resolve));
      promised = 0;
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'disk', detail: 'no space' });
    };
    const shard = {
      append,
      readAt: (offset: Offset) => inner.readAt(offset),
      get next(): number {
        return inner.next + promised;
      },
    } as unknown as JournalShard;
    const log = new DurableLog(this.context, shard, 'sync');
    this.context.log = log;
    return log;
  }

  session(name: string): { readonly session: ClientSession; readonly delivery: Delivery } {
    const identity = { clientId: name, username: null, remoteAddress: '' };
    const session = new ClientSession(this.context, identity, { sessionExpirySeconds: 60 });
    session.number = this.sessions.length + 1;
    session.connection = { output: { pendingBytes: 0 }, terms: {} } as unknown as ClientConnection;
    session.consumer = new LogConsumer(
      this.context,
      new SessionConsumer(this.context, session),
      'live',
    );
    const options = { qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 } as const;
    const subscription = new Subscription('a', session, {
      ...options,
      retainHandling: 0,
      since: embeddedLog(this.context).nextOffset,
    });
    session.addSubscription('a', subscription);
    this.sessions.push(session);
    return { session, delivery: new Delivery(subscription) };
  }

  /** A message of QoS 1 for `receiver`, acknowledged under `identifier`. */
  publish(identifier: number, receiver: ReturnType<Bench['session']>): void {
    const { log } = this.context;
    const topic = this.router.topicOf('a');
    const message = new Message(topic);
    message.qos = 1;
    const durable = [receiver.delivery];
    log.append(message, null, { live: [], durable, shared: [], sharedDurable: false });
    log.acknowledge(this.connection, PUBACK, identifier, true);
  }
}

describe('the log', () => {
  test('says nothing about a message before it is durable, and then everything in order', async () => {
    const bench = new Bench();
    const log = await bench.open();
    const receiver = bench.session('r');
    for (const identifier of [3, 1, 2]) bench.publish(identifier, receiver);
    log.flush();
    bench.publish(9, receiver);
    expect(bench.said).toEqual([]);
    expect(receiver.session.window.stateOf(1)).toBe(ExchangeState.assigned);
    await log.settle();
    expect(bench.said).toEqual(['accepted 3', 'accepted 1', 'accepted 2', 'accepted 9']);
    expect(receiver.session.window.stateOf(4)).toBe(ExchangeState.awaitingPuback);
    expect(receiver.session.window.open().map(({ offset }) => offset)).toEqual([0, 1, 2, 4]);
  });

  test('refuses with a batch everything that was to follow it, and keeps no place beyond the end', async () => {
    const bench = new Bench();
    const log = await bench.open();
    const receiver = bench.session('r');
    bench.publish(1, receiver);
    await log.settle();
    const { next } = log.shard;
    bench.diskIsFull = true;
    bench.publish(2, receiver);
    log.flush();
    bench.publish(3, receiver);
    // Somebody subscribes, and somebody falls behind, at offsets that will not be.
    const late = bench.session('late');
    consumerOf(late.session)?.fallBehind(log.nextOffset);
    const callbacks: boolean[] = [];
    log.afterCommit((committed) => callbacks.push(committed));
    await log.settle();
    expect(bench.said).toEqual(['accepted 1', 'refused 2', 'refused 3']);
    expect([log.full, log.needsCheckpoint, callbacks]).toEqual([true, true, [false]]);
    expect(receiver.session.window.count).toBe(1);
    expect(consumerOf(late.session)?.position).toBe(next);
    expect([...late.session.subscriptions.values()][0]?.since).toBe(next);
    expect(bench.dirtySessions.has(receiver.session)).toBe(true);
    // With room again it goes on where the journal ends.
    bench.diskIsFull = false;
    bench.publish(4, receiver);
    await log.settle();
    expect(bench.said.at(-1)).toBe('accepted 4');
    expect(receiver.session.window.open().map(({ offset }) => offset)).toEqual([0, next]);
    expect((await log.shard.readAt(next))?.kind).toBe(RECORD_KIND.message);
  });
});
