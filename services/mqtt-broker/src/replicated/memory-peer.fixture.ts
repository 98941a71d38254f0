import {
  createFrame,
  DECODE_FROM_SERVER,
  decodePacket,
  encodePacket,
  FrameStatus,
  type Packet,
  type Properties,
  readFrame,
} from '@robustmq/mqtt-codec';
import type { ByteConnection, ConnectionHandler, ListenerIdentity } from '@robustmq/transport';

const VERSION = 5;
const LISTENER: ListenerIdentity = {
  name: 'memory',
  kind: 'tcp',
  address: '127.0.0.1',
  port: 1883,
  loopback: true,
};

/** A client joined to a broker without a socket: packets arrive within the turn in which they are sent. */
export class MemoryPeer implements ByteConnection {
  handler: ConnectionHandler;
  readonly id = 0;
  readonly listener: ListenerIdentity = LISTENER;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly clientCertificate = null;
  /** Every packet that came, in order. */
  readonly packets: Packet[] = [];
  onPacket: (packet: Packet) => void = () => {};
  onClose: () => void = () => {};
  readonly #frame = createFrame();
  #sending: Buffer[] = [];
  #paused = false;
  #closed = false;

  constructor(accept: (connection: ByteConnection) => ConnectionHandler) {
    this.handler = accept(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(packet: Packet): void {
    if (this.#closed) return;
    this.#sending.push(Buffer.from(encodePacket(packet, VERSION)));
    this.#deliver();
  }

  connect(clientId: string, cleanStart: boolean, properties: Properties): void {
    this.send({
      kind: 'connect',
      version: VERSION,
      ...{ clientId, cleanStart, keepAliveSeconds: 0, will: null, username: null, password: null },
      properties,
    });
  }

  write(bytes: Uint8Array, byteLength: number): 'written' | 'closed' {
    if (this.#closed) return 'closed';
    const copy = Buffer.from(bytes.subarray(0, byteLength));
    for (let at = 0; at < copy.length; at = this.#frame.bodyEnd) {
      if (readFrame(copy, at, copy.length, this.#frame) !== FrameStatus.complete) {
        throw new Error('the broker writes whole packets');
      }
      const decoded = decodePacket(copy, this.#frame, VERSION, DECODE_FROM_SERVER);
      if (!decoded.ok) throw new Error(decoded.fault.reason);
      const end = this.#frame.bodyEnd;
      this.packets.push(decoded.value);
      this.onPacket(decoded.value);
      this.#frame.bodyEnd = end;
    }
    return 'written';
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    setImmediate(() => this.#deliver());
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => {
      this.handler.closed({ kind: 'destroyed' });
      this.onClose();
    });
  }

  /** The broker is gone: neither side hears of the other any more. */
  cut(): void {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => this.onClose());
  }

  #deliver(): void {
    while (!this.#paused && !this.#closed) {
      const bytes = this.#sending.shift();
      if (bytes === undefined) return;
      this.handler.received(bytes, 0, bytes.length);
    }
  }
}
