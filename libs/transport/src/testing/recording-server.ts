import type {
  AcceptConnection,
  ByteConnection,
  CloseCause,
  ConnectionHandler,
} from '../connection.ts';
import { listen } from '../listen.ts';
import type { Listener, ListenerOptions } from '../listener.ts';

/** One accepted connection, what it was told, and promises for what it will be told. */
export class Accepted implements ConnectionHandler {
  readonly connection: ByteConnection;
  readonly drainedBuffers: Uint8Array[] = [];
  readonly closings: CloseCause[] = [];
  readonly callsAfterClose: string[] = [];
  receivedBytes = 0;
  #chunks: Buffer[] = [];
  readonly #waiting: { readonly ready: () => boolean; readonly resolve: () => void }[] = [];
  /** Called with every chunk, after it was recorded. */
  onReceived: (chunk: Buffer) => void = () => {};
  onDrained: () => void = () => {};
  onClosed: () => void = () => {};

  constructor(connection: ByteConnection) {
    this.connection = connection;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  received(buffer: Buffer, start: number, end: number): void {
    if (this.closings.length > 0) this.callsAfterClose.push('received');
    const chunk = Buffer.from(buffer.subarray(start, end));
    this.receivedBytes += chunk.length;
    if (this.receivedBytes < 1_000_000) this.#chunks.push(chunk);
    this.onReceived(chunk);
    this.#wake();
  }

  drained(bytes: Uint8Array): void {
    if (this.closings.length > 0) this.callsAfterClose.push('drained');
    this.drainedBuffers.push(bytes);
    this.onDrained();
    this.#wake();
  }

  closed(cause: CloseCause): void {
    this.closings.push(cause);
    this.#wake();
    this.onClosed();
  }

  /** Resolves as soon as `ready` holds after some call of the transport. */
  until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ ready, resolve });
    });
  }

  async cause(): Promise<CloseCause> {
    await this.until(() => this.closings.length > 0);
    return this.closings[0] as CloseCause;
  }

  #wake(): void {
    for (const waiter of this.#waiting) if (waiter.ready()) waiter.resolve();
  }
}

/** A listener that records every connection. */
export class RecordingServer {
  readonly accepted: Accepted[] = [];
  readonly faults: unknown[] = [];
  /** Lets a test prepare a connection within `AcceptConnection`. */
  onAccept: (accepted: Accepted) => void = () => {};
  #listener: Listener | null = null;
  #wake: () => void = () => {};

  async start(options: ListenerOptions): Promise<void> {
    const accept: AcceptConnection = (connection) => {
      const accepted = new Accepted(connection);
      connection.handler = accepted;
      this.accepted.push(accepted);
      this.#wake();
      this.onAccept(accepted);
    };
    this.#listener = await listen(options, accept, (_connection, error) => {
      this.faults.push(error);
    });
  }

  get listener(): Listener {
    if (this.#listener === null) throw new Error('not started');
    return this.#listener;
  }

  get port(): number {
    return this.listener.identity.port;
  }

  /** The connection with this index, once it is there. */
  async connection(index: number): Promise<Accepted> {
    while (this.accepted[index] === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.accepted[index];
  }

  async stop(): Promise<void> {
    for (const { connection } of this.accepted) connection.destroy();
    await this.#listener?.stop();
  }
}
