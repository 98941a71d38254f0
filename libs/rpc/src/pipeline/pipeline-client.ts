/** The client's side of KvService.Pipeline: any number of calls on one stream. */
import { systemTimers, type TimerHandle } from '@robustmq/environment';
import { type CallOptions, PlacementError, type PlacementFault } from '@robustmq/placement';
import type { ClientDuplex } from '../client/client-duplex.ts';
import type { RpcChannel } from '../client/rpc-channel.ts';
import {
  type PipelineCall,
  type PipelineOutcome,
  type PipelineReply,
  pipelineRepliesCodec,
  pipelineRequestsCodec,
} from '../codec/pipeline.ts';
import { bytesCodec } from '../codec/codec-of.ts';
import type { DuplexMethod, ServiceContract } from '../contract/method.ts';
import { kvService } from '../contract/store-services.ts';
import { placementFaultOf } from '../fault-status.ts';
import { OutgoingBatches } from './outgoing-batches.ts';

/** Bounds of one pipeline. */
export interface PipelineClientLimits {
  /** LIMIT: pipelineCallsMax. One more call fails with PLACEMENT_OVERLOADED. */
  readonly pipelineCallsMax: number;
  /** LIMIT: pipelineUnsentBytesMax. A call beyond it fails with PLACEMENT_OVERLOADED. */
  readonly pipelineUnsentBytesMax: number;
  /** A larger call fails with PLACEMENT_INVALID. */
  readonly messageBytesMax: number;
}

/** For every client that has no reason to differ. */
export const defaultPipelineClientLimits: PipelineClientLimits = {
  pipelineCallsMax: 65_536,
  pipelineUnsentBytesMax: 32 * 1024 * 1024,
  messageBytesMax: 4 * 1024 * 1024,
};

interface EncodedPipeline {
  readonly pipeline: DuplexMethod<Uint8Array, Uint8Array>;
}

/** The same stream, with messages that are encoded here: each call once, before it waits. */
const encodedPipeline: ServiceContract<EncodedPipeline> = {
  name: kvService.name,
  methods: { pipeline: { ...kvService.methods.pipeline, request: bytesCodec, reply: bytesCodec } },
};

/** A call of one kind has an outcome of the same kind. */
export type OutcomeOf<Call extends PipelineCall> = PipelineOutcome & {
  readonly kind: Call['kind'];
};

interface PendingCall {
  readonly resolve: (outcome: PipelineOutcome) => void;
  readonly reject: (error: PlacementError) => void;
  readonly effect: 'reads' | 'changes';
  readonly timer: TimerHandle;
  readonly signal: AbortSignal | null;
  readonly giveUp: (() => void) | null;
}

/**
 * Calls over one stream, which is opened when it is needed and again after it has ended. A call is
 * never sent twice. What was not sent when the stream ended fails with PLACEMENT_UNAVAILABLE; what was
 * sent and might have changed something with PLACEMENT_OUTCOME_UNKNOWN.
 */
export class PipelineClient {
  readonly #channel: RpcChannel;
  readonly #limits: PipelineClientLimits;
  #stream: PipelineConnection | null = null;
  #closed = false;

  constructor(channel: RpcChannel, limits: PipelineClientLimits) {
    this.#channel = channel;
    this.#limits = limits;
  }

  /** @throws PlacementError with the server's fault, or as said above */
  async call<Call extends PipelineCall>(
    call: Call,
    options: CallOptions,
  ): Promise<OutcomeOf<Call>> {
    if (this.#closed) throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
    if (this.#stream === null || this.#stream.ended) {
      const open = this.#channel.clientOf(encodedPipeline).pipeline;
      this.#stream = new PipelineConnection(open({ signal: null, metadata: {} }), this.#limits);
    }
    return (await this.#stream.call(call, options)) as OutcomeOf<Call>;
  }

  /** Fails the calls under way, as if the stream had ended. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#stream?.abort();
  }
}

class PipelineConnection {
  readonly #duplex: ClientDuplex<Uint8Array, Uint8Array>;
  readonly #limits: PipelineClientLimits;
  readonly #requests: OutgoingBatches;
  readonly #pending = new Map<number, PendingCall>();
  #nextId = 1;
  /** Before the server has let the stream in nothing is sent, so that a refusal leaves no doubt. */
  #admitted = false;
  #unsent: { readonly id: number; readonly bytes: Uint8Array }[] = [];
  #unsentBytes = 0;

  constructor(duplex: ClientDuplex<Uint8Array, Uint8Array>, limits: PipelineClientLimits) {
    this.#duplex = duplex;
    this.#limits = limits;
    this.#requests = new OutgoingBatches(duplex, systemTimers);
    duplex.onAdmitted(() => this.#admit());
    duplex.onMessage((bytes) => this.#take(bytes));
    duplex.onDrain(() => this.#requests.drained());
    duplex.onEnd((error) => this.#end(error));
  }

  get ended(): boolean {
    return this.#duplex.ended;
  }

  abort(): void {
    this.#duplex.abort();
  }

  call(call: PipelineCall, options: CallOptions): Promise<PipelineOutcome> {
    const id = this.#nextId;
    this.#nextId += 1;
    const deadlineMs = Math.max(1, Math.ceil(options.deadlineMs));
    const bytes = pipelineRequestsCodec.encode([{ id, deadlineMs, call }]);
    const fault = this.#refusal(bytes, options);
    if (fault !== null) return Promise.reject(new PlacementError(fault));
    const { promise, resolve, reject } = Promise.withResolvers<PipelineOutcome>();
    const { signal } = options;
    const giveUp = signal === null ? null : (): void => this.#fail(id, 'the caller gave up');
    const timer = systemTimers.after(deadlineMs, () => this.#fail(id, 'the deadline has passed'));
    this.#pending.set(id, { resolve, reject, effect: effectOf(call), timer, signal, giveUp });
    if (giveUp !== null) signal?.addEventListener('abort', giveUp, { once: true });
    if (this.#admitted) this.#requests.add(bytes);
    else this.#wait(id, bytes);
    return promise;
  }

  #refusal(bytes: Uint8Array, { signal }: CallOptions): PlacementFault | null {
    const { messageBytesMax, pipelineCallsMax, pipelineUnsentBytesMax } = this.#limits;
    if (signal?.aborted === true) {
      return { code: 'PLACEMENT_UNAVAILABLE', detail: 'the caller gave up' };
    }
    if (bytes.length > messageBytesMax) {
      const detail = `request of ${bytes.length} bytes exceeds ${messageBytesMax}`;
      return { code: 'PLACEMENT_INVALID', detail };
    }
    if (this.#pending.size >= pipelineCallsMax) {
      return { code: 'PLACEMENT_OVERLOADED', detail: `${pipelineCallsMax} calls are under way` };
    }
    const unsentBytes = this.#unsentBytes + this.#requests.unsentBytes;
    if (unsentBytes + bytes.length <= pipelineUnsentBytesMax) return null;
    return { code: 'PLACEMENT_OVERLOADED', detail: `${unsentBytes} bytes are not sent yet` };
  }

  #wait(id: number, bytes: Uint8Array): void {
    this.#unsent.push({ id, bytes });
    this.#unsentBytes += bytes.length;
  }

  #admit(): void {
    this.#admitted = true;
    // A call that was given up meanwhile is not sent: its caller was told that nothing happened.
    for (const { id, bytes } of this.#unsent) if (this.#pending.has(id)) this.#requests.add(bytes);
    this.#unsent = [];
    this.#unsentBytes = 0;
  }

  #take(bytes: Uint8Array): void {
    let replies: readonly PipelineReply[];
    try {
      replies = pipelineRepliesCodec.decode(bytes);
    } catch {
      // A peer that speaks otherwise: its calls end with the stream.
      this.abort();
      return;
    }
    for (const { id, outcome } of replies) {
      const pending = this.#remove(id);
      if (pending === null) continue;
      if (outcome.kind === 'fault') pending.reject(new PlacementError(outcome.fault));
      else pending.resolve(outcome);
    }
  }

  /** null when the call was given up. */
  #remove(id: number): PendingCall | null {
    const pending = this.#pending.get(id);
    if (pending === undefined) return null;
    this.#pending.delete(id);
    pending.timer.cancel();
    if (pending.giveUp !== null) pending.signal?.removeEventListener('abort', pending.giveUp);
    return pending;
  }

  #fail(id: number, detail: string): void {
    const pending = this.#remove(id);
    if (pending === null) return;
    const isUnknown = this.#admitted && pending.effect === 'changes';
    const code = isUnknown ? 'PLACEMENT_OUTCOME_UNKNOWN' : 'PLACEMENT_UNAVAILABLE';
    pending.reject(new PlacementError({ code, detail }));
  }

  #end(error: Error | null): void {
    this.#requests.clear();
    const told = this.#admitted || error === null ? null : placementFaultOf(error, 'reads');
    const detail = error?.message ?? 'the server has ended the stream';
    for (const id of [...this.#pending.keys()]) {
      if (told === null) this.#fail(id, detail);
      else this.#remove(id)?.reject(new PlacementError(told));
    }
  }
}

function effectOf(call: PipelineCall): 'reads' | 'changes' {
  return call.kind === 'range' || call.kind === 'readLease' ? 'reads' : 'changes';
}
