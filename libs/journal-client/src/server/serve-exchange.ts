/**
 * The stream of one client: requests are carried out as they come, replies go back in batches of a
 * turn of the event loop.
 *
 *     requests ─┬─ append ────▶ replica.append, in the order of arrival
 *               ├─ tails ─────▶ ServedTail, fed while there is credit
 *               └─ the others ▶ carryOut
 *
 * Hot: an append costs a look-up, a checksum over its batch, and a promise. A client that has too much
 * under way, or does not take its replies, is not read from until there is room.
 */
import { checkBatch } from '@robustmq/journal';
import {
  type AppendCall,
  type CallContext,
  type DuplexCall,
  type JournalCall,
  type JournalOutcome,
  journalRepliesCodec,
  type JournalReplyFault,
  type JournalRequest,
  mount,
  type MountedService,
  OutgoingBatches,
  servedJournalService,
} from '@robustmq/rpc';
import type { OpenReplica, ReplicaAppended } from './replica-ports.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { absent, faultOf, invalid, notLeading } from './fault-of.ts';
import { type AnsweredCall, carryOut } from './replica-calls.ts';
import { StreamTails } from './stream-tails.ts';

/** LIMIT: requestsUnderWayMax (of one stream) */
const requestsUnderWayMax = 65_536;
/** LIMIT: appendBytesUnderWayMax (of one stream) */
const appendBytesUnderWayMax = 64 * 1024 * 1024;
/** LIMIT: replyBytesUnsentMax (of one stream) */
const replyBytesUnsentMax = 64 * 1024 * 1024;
/** For a request that names no deadline; none may have a longer one. */
const DEADLINE_MS_MAX = 60_000;

type ExchangeStream = DuplexCall<readonly JournalRequest[], Uint8Array>;

/** JournalService on the replicas of a node, for `openRpcServer`. */
export function journalExchange(host: ExchangeHost): MountedService {
  return mount(servedJournalService, {
    exchange: (call, context) => new ServedExchange(call, host).begin(context),
  });
}

class ServedExchange {
  readonly #call: ExchangeStream;
  readonly #host: ExchangeHost;
  readonly #replies: OutgoingBatches;
  readonly #tails: StreamTails;
  #underWay = 0;
  #appendBytes = 0;
  #isPaused = false;
  /** Nothing more is read: the stream ends when everything is answered. */
  #isLast = false;

  constructor(call: ExchangeStream, host: ExchangeHost) {
    this.#call = call;
    this.#host = host;
    this.#replies = new OutgoingBatches(call, host.timers);
    this.#tails = new StreamTails(host, {
      send: (id, outcome) => this.#reply(id, outcome),
      faultOf: (error) => this.#faultOf(error),
    });
  }

  begin({ closing }: CallContext): void {
    const { counters } = this.#host;
    const stopReading = (): void => {
      this.#isLast = true;
      this.#tails.closeAll();
      this.#finishWhenDone();
    };
    counters.streams += 1;
    this.#call.onEnd(() => {
      counters.streams -= 1;
      closing.removeEventListener('abort', stopReading);
      this.#tails.closeAll();
      this.#replies.clear();
    });
    this.#call.onMessage((requests) => {
      if (this.#isLast) return;
      for (const request of requests) this.#accept(request);
      this.#control();
    });
    this.#call.onDrain(() => {
      this.#replies.drained();
      this.#control();
      this.#finishWhenDone();
    });
    this.#call.onHalfClose(stopReading);
    closing.addEventListener('abort', stopReading, { once: true });
    if (closing.aborted) stopReading();
  }

  #accept(request: JournalRequest): void {
    const { id, shard, call } = request;
    if (call.kind === 'credit') return this.#tails.addCredit(call.tail, call.bytes);
    if (call.kind === 'closeTail') return this.#tails.close(call.tail);
    const open = this.#host.directory.replicaOf(shard);
    if (open === null) return this.#refuse(request, absent(shard));
    if (call.kind === 'openTail' || call.kind === 'openKeyedTail') {
      return this.#tails.open(id, call, open);
    }
    if (call.kind === 'append') return this.#append(request, call, open);
    this.#host.counters.calls += 1;
    this.#carryOut(request, call, open);
  }

  #append(request: JournalRequest, call: AppendCall, open: OpenReplica): void {
    const { counters } = this.#host;
    counters.appends += 1;
    if (open.kind !== 'messages') {
      return this.#refuse(request, invalid('the shard holds keys, not messages'));
    }
    // What can't be appended here need not be copied and checked first.
    if (!open.isLeader()) return this.#refuse(request, notLeading(open, this.#host.directory));
    const { producer, sequence, acknowledgement, mayMissFrom } = call;
    const batch = checkBatch(call.batch);
    if (typeof batch === 'string') return this.#refuse(request, invalid(batch));
    const { length } = call.batch;
    counters.appendBytes += length;
    this.#underWay += 1;
    this.#appendBytes += length;
    const named = { producer, sequence, batch, acknowledgement };
    const append = mayMissFrom === 0 ? named : { ...named, mayMissFrom };
    open.replica.append(append, deadlineOf(request)).then(
      (appended) => this.#settleAppend(request, length, outcomeOf(appended, request.shard)),
      (error: unknown) => {
        const outcome: JournalOutcome = { kind: 'fault', fault: this.#faultOf(error) };
        this.#settleAppend(request, length, outcome);
      },
    );
  }

  #settleAppend({ id }: JournalRequest, bytes: number, outcome: JournalOutcome): void {
    this.#appendBytes -= bytes;
    if (outcome.kind === 'fault') this.#host.counters.appendsRefused += 1;
    this.#settle(id, outcome);
  }

  #carryOut(request: JournalRequest, call: AnsweredCall, open: OpenReplica): void {
    const { id } = request;
    this.#underWay += 1;
    const patience = { deadlineMs: deadlineOf(request), timers: this.#host.timers };
    carryOut(call, open, patience).then(
      (outcome) => this.#settle(id, outcome),
      (error: unknown) => this.#settle(id, { kind: 'fault', fault: this.#faultOf(error) }),
    );
  }

  #settle(id: number, outcome: JournalOutcome): void {
    this.#underWay -= 1;
    this.#reply(id, outcome);
    this.#control();
    this.#finishWhenDone();
  }

  #refuse({ id, call }: JournalRequest, fault: JournalReplyFault): void {
    if (call.kind === 'append') this.#host.counters.appendsRefused += 1;
    this.#reply(id, { kind: 'fault', fault });
  }

  #faultOf(error: unknown): JournalReplyFault {
    const fault = faultOf(error, this.#host.directory);
    if (fault !== null) return fault;
    this.#host.reportMistake(error);
    return { code: 'JOURNAL_OUTCOME_UNKNOWN', detail: 'internal error' };
  }

  #reply(id: number, outcome: JournalOutcome): void {
    if (this.#call.ended) return;
    if (outcome.kind === 'records') this.#host.counters.recordsSent += outcome.records.length;
    if (outcome.kind === 'changes') this.#host.counters.changesSent += outcome.changes.length;
    this.#replies.add(journalRepliesCodec.encode([{ id, outcome }]));
  }

  /** Replies that wait count, too: a client that does not take them gets no more work done. */
  #control(): void {
    if (this.#call.ended) return;
    const isBehind =
      this.#underWay >= requestsUnderWayMax ||
      this.#appendBytes >= appendBytesUnderWayMax ||
      this.#replies.unsentBytes >= replyBytesUnsentMax;
    if (isBehind === this.#isPaused) return;
    this.#isPaused = isBehind;
    if (isBehind) this.#call.pause();
    else this.#call.resume();
  }

  #finishWhenDone(): void {
    if (!this.#isLast || this.#underWay > 0 || this.#call.ended) return;
    this.#replies.flush();
    if (this.#replies.unsentBytes === 0) this.#call.finish();
  }
}

function outcomeOf(appended: ReplicaAppended, shard: string): JournalOutcome {
  switch (appended.kind) {
    case 'appended':
      return { kind: 'appended', offset: appended.base };
    case 'duplicate':
      return { kind: 'appended', offset: appended.base };
    case 'fenced': {
      const detail = `incarnation ${String(appended.incarnation)} or a fence stands there`;
      return fault({ code: 'JOURNAL_FENCED', shard, detail });
    }
    default:
      return fault({ code: 'JOURNAL_OUT_OF_ORDER', expected: appended.expected });
  }
}

function fault(of: JournalReplyFault): JournalOutcome {
  return { kind: 'fault', fault: of };
}

function deadlineOf({
  deadlineMs,
}: {
  readonly deadlineMs: number;
  readonly call: JournalCall;
}): number {
  return deadlineMs === 0 ? DEADLINE_MS_MAX : Math.min(deadlineMs, DEADLINE_MS_MAX);
}
