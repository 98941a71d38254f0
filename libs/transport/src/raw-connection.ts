/**
 * One plain TCP connection on the bare libuv handle, without `net.Socket`.
 *
 * Cost, idle: this flat object, its handle and nothing else (no closure, timer, Map or buffer), under
 * 1.8 KB of process memory. A read allocates nothing; a write allocates nothing when the kernel takes
 * it at once and the whole buffer is sent, one view when a part of it is sent, one request more when
 * the kernel's buffer is full.
 *
 * All callbacks are shared functions that find their connection through the handle. All closing goes
 * through `#close`, and `closed` is called from libuv's close callback only: never inside a call that
 * the handler made, and exactly once.
 */
import type {
  ByteConnection,
  ClientCertificate,
  CloseCause,
  ConnectionHandler,
  ListenerIdentity,
} from './connection.ts';
import { armDeadline, disarmDeadline } from './deadlines.ts';
import {
  HANDLER_FAULT_REASON,
  type ListenerContext,
  nextConnectionId,
  UNHANDLED,
} from './listener-context.ts';
import { type PeerAddress, plainAddress, UNKNOWN_PEER } from './peer-address.ts';
import {
  loadStreamBinding,
  type RawHandle,
  type ShutdownRequest,
  type SocketName,
  type WriteRequest,
} from './raw-binding.ts';
import { describeStatus } from './system-error.ts';

const READ_BUFFER_BYTES = 65_536;
/** libuv's end of file, on every platform. */
const UV_EOF = -4095;

const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } =
  loadStreamBinding();

/** Every connection reads into this one; libuv keeps its address, so it lives as long as the process. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

const PHASE_OPEN = 0;
/** `end` was called while a write was pending. */
const PHASE_ENDING = 1;
/** The end of our stream is being sent or is sent; the peer's is awaited and its bytes are dropped. */
const PHASE_LINGERING = 2;
const PHASE_CLOSING = 3;
const PHASE_CLOSED = 4;

const CAUSE_ENDED: CloseCause = { kind: 'ended' };
const CAUSE_DESTROYED: CloseCause = { kind: 'destroyed' };

type Handle = RawHandle<RawConnection>;

export class RawConnection implements ByteConnection {
  handler: ConnectionHandler;
  readonly id: number;
  readonly #handle: Handle;
  readonly #context: ListenerContext;
  #peer: PeerAddress | null;
  #phase: number;
  #paused: boolean;
  /** The buffer of the one write in flight; null when none is. */
  #pending: Uint8Array | null;
  /** Invariant: set exactly when the phase is CLOSING or CLOSED. */
  #cause: CloseCause | null;

  constructor(handle: Handle, context: ListenerContext) {
    this.handler = UNHANDLED;
    this.id = nextConnectionId();
    this.#handle = handle;
    this.#context = context;
    this.#peer = null;
    this.#phase = PHASE_OPEN;
    this.#paused = false;
    this.#pending = null;
    this.#cause = null;
  }

  get listener(): ListenerIdentity {
    return this.#context.identity;
  }

  get remoteAddress(): string {
    return this.#peerOnce().address;
  }

  get remotePort(): number {
    return this.#peerOnce().port;
  }

  get clientCertificate(): ClientCertificate | null {
    return null;
  }

  write(bytes: Uint8Array, byteLength: number): 'written' | 'pending' | 'closed' {
    if (this.#phase !== PHASE_OPEN) return 'closed';
    if (this.#pending !== null) throw new Error('a write is still pending on this connection');
    const chunk = byteLength === bytes.length ? bytes : bytes.subarray(0, byteLength);
    const status = this.#handle.writeBuffer(spareRequest, chunk);
    if (status !== 0) {
      spareRequest = newWriteRequest();
      this.#fail(describeStatus(status));
      return 'closed';
    }
    if (streamBaseState[kLastWriteWasAsync] === 0) return 'written';
    spareRequest = newWriteRequest();
    this.#pending = bytes;
    return 'pending';
  }

  pause(): void {
    if (this.#paused || this.#phase !== PHASE_OPEN) return;
    this.#paused = true;
    this.#handle.readStop();
  }

  resume(): void {
    if (!this.#paused || this.#phase !== PHASE_OPEN) return;
    this.#paused = false;
    this.startReading();
  }

  end(deadlineMs: number): void {
    if (this.#phase !== PHASE_OPEN) return;
    this.#phase = PHASE_ENDING;
    armDeadline(this, deadlineMs);
    if (this.#paused) this.startReading();
    if (this.#pending === null) this.#shutDown();
  }

  destroy(): void {
    this.#close(CAUSE_DESTROYED);
  }

  /** The sweep's call: `end` took too long. */
  deadlinePassed(): void {
    this.#close(CAUSE_DESTROYED);
  }

  /** The peer as a PROXY header names it. */
  replacePeer(peer: PeerAddress): void {
    this.#peer = peer;
  }

  /** Hands the connection to the protocol; its exceptions close the connection. */
  handOver(): void {
    try {
      this.#context.handOver(this);
    } catch (error) {
      this.#handlerFault(error);
    }
  }

  /** Begins to read unless the protocol has paused or closed the connection meanwhile. */
  startReadingIfWanted(): void {
    if (this.#phase === PHASE_OPEN && !this.#paused) this.startReading();
  }

  /** Closes as `failed`, with a reason for the log. */
  fail(reason: string): void {
    this.#fail(reason);
  }

  /** Delivers what came in the same read as a PROXY header. */
  deliverRest(buffer: Buffer, start: number, end: number): void {
    if (this.#phase === PHASE_OPEN) this.handler.received(buffer, start, end);
  }

  /** The shared read callback: `count` bytes are in the shared buffer, or it is an error. */
  didRead(count: number): void {
    if (count > 0) {
      if (this.#phase !== PHASE_OPEN) return;
      try {
        this.handler.received(readBuffer, 0, count);
      } catch (error) {
        this.#handlerFault(error);
      }
    } else if (count === UV_EOF) {
      this.#close(this.#phase === PHASE_OPEN ? CAUSE_ENDED : CAUSE_DESTROYED);
    } else if (count < 0) {
      this.#fail(describeStatus(count));
    }
  }

  didWrite(status: number): void {
    const bytes = this.#pending;
    // A write that the close cancels ends with an error status; `closed` returns its buffer.
    if (bytes === null || this.#phase >= PHASE_CLOSING) return;
    this.#pending = null;
    if (status < 0) {
      this.#fail(describeStatus(status));
      return;
    }
    try {
      this.handler.drained(bytes);
    } catch (error) {
      this.#handlerFault(error);
    }
    // The handler may have called `end` (and so shut down already) or `destroy` in between.
    if (this.#phase === PHASE_ENDING) this.#shutDown();
  }

  didShutDown(status: number): void {
    if (status < 0) this.#fail(describeStatus(status));
  }

  didClose(): void {
    this.#phase = PHASE_CLOSED;
    this.#pending = null;
    this.#context.release();
    try {
      this.handler.closed(this.#cause ?? CAUSE_DESTROYED);
    } catch (error) {
      this.#context.handlerFault(this, error);
    }
  }

  startReading(): void {
    const status = this.#handle.readStart();
    if (status !== 0) this.#fail(describeStatus(status));
  }

  #shutDown(): void {
    if (this.#phase !== PHASE_ENDING) return; // readStart in `end` may have failed
    this.#phase = PHASE_LINGERING;
    const request = new ShutdownWrap() as ShutdownRequest<RawConnection>;
    request.oncomplete = afterShutdown;
    request.handle_ = this.#handle;
    const status = this.#handle.shutdown(request);
    // 1 says that the shutdown was done at once and `oncomplete` will not be called.
    if (status < 0) this.#fail(describeStatus(status));
  }

  #fail(reason: string): void {
    // After `end`, a reset by the peer is one more way of its leaving.
    const ending = this.#phase === PHASE_ENDING || this.#phase === PHASE_LINGERING;
    this.#close(ending ? CAUSE_DESTROYED : { kind: 'failed', reason });
  }

  #handlerFault(error: unknown): void {
    this.#close({ kind: 'failed', reason: HANDLER_FAULT_REASON });
    this.#context.handlerFault(this, error);
  }

  #close(cause: CloseCause): void {
    if (this.#phase >= PHASE_CLOSING) return;
    if (this.#phase !== PHASE_OPEN) disarmDeadline(this);
    this.#phase = PHASE_CLOSING;
    this.#cause = cause;
    this.#handle.close(afterClose);
  }

  #peerOnce(): PeerAddress {
    if (this.#peer !== null) return this.#peer;
    if (this.#phase >= PHASE_CLOSING) return UNKNOWN_PEER;
    const name: SocketName = {};
    if (this.#handle.getpeername(name) !== 0) return UNKNOWN_PEER;
    this.#peer = { address: plainAddress(name.address ?? ''), port: name.port ?? 0 };
    return this.#peer;
  }
}

/** Sent with every write; replaced only when libuv keeps it for later. */
let spareRequest: WriteRequest<RawConnection> = newWriteRequest();

function newWriteRequest(): WriteRequest<RawConnection> {
  const request = new WriteWrap() as WriteRequest<RawConnection>;
  request.oncomplete = afterWrite;
  return request;
}

function afterWrite(status: number, handle: Handle): void {
  handle.owner_.didWrite(status);
}

function afterShutdown(this: ShutdownRequest<RawConnection>, status: number): void {
  this.handle_.owner_.didShutDown(status);
}

function afterClose(this: Handle): void {
  this.owner_.didClose();
}

/** Must return undefined: any other value would replace the read buffer of this handle. */
function onRead(this: Handle): undefined {
  this.owner_.didRead(streamBaseState[kReadBytesOrError] as number);
}

/** Prepares an accepted handle and its connection object; reading has not begun. */
export function adoptHandle(handle: Handle, context: ListenerContext): RawConnection {
  const connection = new RawConnection(handle, context);
  handle.owner_ = connection;
  handle.onread = onRead;
  handle.setNoDelay(true);
  handle.useUserBuffer(readBuffer);
  return connection;
}
