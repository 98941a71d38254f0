/**
 * Many calls on one stream: each is carried out as it comes, replies go back in batches of a turn.
 *
 * A client that sends more than may wait, or does not take its replies, is not read from until there is
 * room: the flow control of the stream reaches it. When the server stops, what was read is answered.
 */

import { systemTimers } from '@robustmq/environment';
import { type CallOptions, type Placement, PlacementError } from '@robustmq/placement';
import type {
  CallContext,
  DuplexCall,
  PipelineCall,
  PipelineOutcome,
  PipelineReply,
  PipelineRequest,
} from '@robustmq/rpc';
import { fittingResult } from './reply-size.ts';

/** LIMIT: pipelineCallsMax (calls of one stream that are carried out at a time). */
const pipelineCallsMax = 16_384;
/** For a call that names no deadline; no call may have a longer one. */
const DEADLINE_MS_MAX = 60_000;

type PipelineStream = DuplexCall<readonly PipelineRequest[], readonly PipelineReply[]>;

/** What a stream is served with. */
export interface PipelineHost {
  readonly placement: Placement;
  /** Told of what is no `PlacementError`; the client sees PLACEMENT_OUTCOME_UNKNOWN without its words. */
  reportMistake(error: unknown): void;
}

/** Serves one stream until it ends. */
export function servePipeline(
  call: PipelineStream,
  context: CallContext,
  host: PipelineHost,
): void {
  new ServedPipeline(call, context, host).begin();
}

class ServedPipeline {
  readonly #call: PipelineStream;
  readonly #context: CallContext;
  readonly #host: PipelineHost;
  #underWay = 0;
  #replies: PipelineReply[] = [];
  #isFlushDue = false;
  #isBlocked = false;
  #isPaused = false;
  /** Nothing more is read: the stream ends when everything is answered. */
  #isLast = false;

  constructor(call: PipelineStream, context: CallContext, host: PipelineHost) {
    this.#call = call;
    this.#context = context;
    this.#host = host;
  }

  begin(): void {
    const stopReading = (): void => {
      this.#isLast = true;
      this.#flushSoon();
    };
    const { closing } = this.#context;
    this.#call.onEnd(() => closing.removeEventListener('abort', stopReading));
    this.#call.onMessage((requests) => {
      if (this.#isLast) return;
      for (const request of requests) this.#accept(request);
      this.#control();
    });
    this.#call.onDrain(() => {
      this.#isBlocked = false;
      this.#flushSoon();
    });
    this.#call.onHalfClose(stopReading);
    closing.addEventListener('abort', stopReading, { once: true });
    if (closing.aborted) stopReading();
  }

  #accept({ id, deadlineMs, call }: PipelineRequest): void {
    const limitMs = deadlineMs === 0 ? DEADLINE_MS_MAX : Math.min(deadlineMs, DEADLINE_MS_MAX);
    // What is under way when the client goes away is carried out, and nobody hears of it.
    const options = { deadlineMs: limitMs, signal: null };
    this.#underWay += 1;
    carryOut(this.#host.placement, call, options).then(
      (outcome) => this.#settle({ id, outcome }),
      (error: unknown) => this.#settle({ id, outcome: this.#failure(error) }),
    );
  }

  #failure(error: unknown): PipelineOutcome {
    if (error instanceof PlacementError) return { kind: 'fault', fault: error.fault };
    this.#host.reportMistake(error);
    const detail = 'internal error';
    return { kind: 'fault', fault: { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail } };
  }

  #settle(reply: PipelineReply): void {
    this.#underWay -= 1;
    this.#replies.push(reply);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    systemTimers.soon(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#call.ended) return;
    if (this.#replies.length > 0 && !this.#isBlocked) {
      const replies = this.#replies;
      this.#replies = [];
      this.#isBlocked = !this.#call.write(replies);
    }
    if (this.#isLast && this.#underWay === 0 && this.#replies.length === 0) this.#call.finish();
    else this.#control();
  }

  /** Replies that wait count, too: a client that does not take them gets no more work done. */
  #control(): void {
    if (this.#call.ended) return;
    const isBehind = this.#underWay + this.#replies.length >= pipelineCallsMax;
    if (isBehind === this.#isPaused) return;
    this.#isPaused = isBehind;
    if (isBehind) this.#call.pause();
    else this.#call.resume();
  }
}

async function carryOut(
  placement: Placement,
  call: PipelineCall,
  options: CallOptions,
): Promise<PipelineOutcome> {
  switch (call.kind) {
    case 'range':
      return { kind: 'range', reply: await placement.range(call.request, options) };
    case 'transact': {
      const result = await placement.transact(call.transaction, options);
      return { kind: 'transact', result: fittingResult(call.transaction, result) };
    }
    case 'grant':
      return { kind: 'grant', lease: await placement.grantLease(call.ttlSeconds, options) };
    case 'keep':
      return { kind: 'keep', lease: await placement.keepLease(call.id, options) };
    case 'readLease':
      return { kind: 'readLease', status: await placement.readLease(call.id, options) };
    case 'revoke':
      await placement.revokeLease(call.id, options);
      return { kind: 'revoke' };
    default:
      await placement.compact(call.revision, options);
      return { kind: 'compact' };
  }
}
