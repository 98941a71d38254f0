import { encodePacket, NO_PROPERTIES, type Qos } from '@robustmq/mqtt-codec';
import type { ByteConnection, ConnectionHandler, ListenerIdentity } from '@robustmq/transport';

const LISTENER: ListenerIdentity = {
  name: 'warm-up',
  kind: 'tcp',
  address: '127.0.0.1',
  port: 1883,
  loopback: true,
};
const PUBLISH = 3;
const VERSION = 4;
const INPUT_BYTES = 64 * 1024;

/**
 * A client of the warm-up, joined to the broker without a socket: what it sends is received at once,
 * and what it gets it acknowledges as `step` is called.
 */
export class WarmUpClient implements ByteConnection {
  handler: ConnectionHandler;
  readonly id = 0;
  readonly listener: ListenerIdentity = LISTENER;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly clientCertificate = null;
  /** PUBLISH packets that came. */
  publishes = 0;
  /** Acknowledgements of any kind that came. */
  acknowledgements = 0;
  readonly #input: Buffer = Buffer.allocUnsafeSlow(INPUT_BYTES);
  #inputLength = 0;
  #closed = false;

  constructor(accept: (connection: ByteConnection) => ConnectionHandler) {
    this.handler = accept(this);
  }

  connect(clientId: string, cleanStart: boolean): void {
    const connect = { kind: 'connect', version: VERSION, cleanStart, clientId } as const;
    this.#send(
      encodePacket(
        {
          ...connect,
          ...{ keepAliveSeconds: 60, will: null, username: null, password: null },
          properties: NO_PROPERTIES,
        },
        VERSION,
      ),
    );
  }

  subscribe(filter: string, qos: Qos): void {
    const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const subscriptions = [{ filter, ...options }];
    const packet = { kind: 'subscribe', packetIdentifier: 1, subscriptions } as const;
    this.#send(encodePacket({ ...packet, properties: NO_PROPERTIES }, VERSION));
  }

  disconnect(): void {
    const packet = { kind: 'disconnect', reasonCode: 0, properties: NO_PROPERTIES } as const;
    this.#send(encodePacket(packet, VERSION));
  }

  /** Any number of whole packets. */
  publish(packets: Uint8Array): void {
    this.#send(packets);
  }

  /** Sends the acknowledgements that are due. @returns whether there were any */
  step(): boolean {
    const length = this.#inputLength;
    if (length === 0 || this.#closed) return false;
    this.#inputLength = 0;
    this.handler.received(this.#input, 0, length);
    return true;
  }

  write(bytes: Uint8Array, byteLength: number): 'written' | 'closed' {
    if (this.#closed) return 'closed';
    let at = 0;
    while (at < byteLength) at = this.#take(bytes, at);
    return 'written';
  }

  pause(): void {
    // Nothing is sent but by `step` and the calls above.
  }

  resume(): void {
    // As above.
  }

  end(_deadlineMs: number): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => this.handler.closed({ kind: 'destroyed' }));
  }

  #send(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.handler.received(Buffer.from(bytes), 0, bytes.length);
  }

  /** @returns where the next packet begins */
  #take(bytes: Uint8Array, start: number): number {
    const header = bytes[start] as number;
    let at = start + 1;
    let remaining = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at] as number;
      at += 1;
      remaining |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const type = header >> 4;
    if (type === PUBLISH) {
      this.publishes += 1;
      const qos = (header >> 1) & 3;
      const topicLength = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      if (qos > 0) this.#answer(qos === 1 ? 0x40 : 0x50, bytes, at + 2 + topicLength);
    } else if (type > PUBLISH && type < 8) {
      this.acknowledgements += 1;
      if (type === 5) this.#answer(0x62, bytes, at);
      else if (type === 6) this.#answer(0x70, bytes, at);
    }
    return at + remaining;
  }

  #answer(header: number, bytes: Uint8Array, identifierAt: number): void {
    const at = this.#inputLength;
    if (at + 4 > INPUT_BYTES) return;
    this.#input[at] = header;
    this.#input[at + 1] = 2;
    this.#input[at + 2] = bytes[identifierAt] as number;
    this.#input[at + 3] = bytes[identifierAt + 1] as number;
    this.#inputLength = at + 4;
  }
}

/** PUBLISH packets with identifiers from 1 on, one behind the other. */
export function publishesOf(
  topics: readonly string[],
  packet: { readonly qos: Qos; readonly retain: boolean; readonly payload: Uint8Array },
): Uint8Array {
  return Buffer.concat(
    topics.map((topic, index) =>
      encodePacket(
        {
          kind: 'publish',
          ...{ topic, ...packet, dup: false },
          packetIdentifier: packet.qos === 0 ? 0 : index + 1,
          properties: NO_PROPERTIES,
        },
        VERSION,
      ),
    ),
  );
}
