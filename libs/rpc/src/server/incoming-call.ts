/** The context of a call, made when it is first looked at: most calls need little of it. */
import type { Deadline, Metadata } from '@grpc/grpc-js';
import { systemClock } from '@robustmq/environment';
import type { CallContext } from './implementation.ts';

/** What grpc-js gives a handler, of any kind. */
export interface GrpcCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getPeer(): string;
  getPath(): string;
  getDeadline(): Deadline;
  on(event: 'cancelled', listener: () => void): unknown;
}

/** {@link CallContext}, and how the server ends it. */
export class IncomingCall implements CallContext {
  readonly method: string;
  readonly closing: AbortSignal;
  readonly deadlineMs: number;
  readonly #call: GrpcCall;
  #controller: AbortController | null = null;
  #aborted = false;

  constructor(call: GrpcCall, closing: AbortSignal, deadlineMsMax: number) {
    this.#call = call;
    this.method = call.getPath();
    this.closing = closing;
    this.deadlineMs = Math.min(deadlineMsMax, millisecondsUntil(call.getDeadline()));
    call.on('cancelled', () => this.abort());
  }

  get peer(): string {
    return this.#call.getPeer();
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  metadata(key: string): string | null {
    const [value] = this.#call.metadata.get(key);
    return typeof value === 'string' ? value : null;
  }

  /** The call is over for its client. Idempotent. */
  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}

function millisecondsUntil(deadline: Deadline): number {
  const atMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  return Math.max(0, atMs - systemClock.nowMs());
}
