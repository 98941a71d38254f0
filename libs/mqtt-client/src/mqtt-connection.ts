import type { Socket } from 'node:net';
import { encodePacket } from '@robustmq/mqtt-codec';
import type { Packet, ProtocolVersion } from '@robustmq/mqtt-codec';
import { MqttClientError } from './client-error.ts';
import type { ConnectionEnd } from './client-error.ts';
import { openSocket } from './open-socket.ts';
import type { SocketAddress } from './open-socket.ts';
import { PacketStream } from './packet-stream.ts';

/** Packets that wait for {@link MqttConnection.next}; above it the socket is paused. */
const WAITING_PACKETS_MAX = 1024;

/**
 * Opens a stream to a broker. Nothing is sent: CONNECT is the caller's.
 *
 * @throws MqttClientError `CLIENT_UNREACHABLE` or `CLIENT_TIMED_OUT`
 */
export async function openConnection(
  address: SocketAddress,
  version: ProtocolVersion,
  timeoutMs: number,
): Promise<MqttConnection> {
  return new MqttConnection(await openSocket(address, timeoutMs), version);
}

/**
 * A stream of packets without any behaviour of its own: no acknowledgements, no keep alive.
 *
 * For tests of a broker, which must also send what a good client never would, and as the ground
 * that {@link MqttClient} stands on. Packets are taken with `next`, or pushed to `onPacket`.
 */
export class MqttConnection {
  /** Resolves once, when the stream is over; never rejects. */
  readonly closed: Promise<ConnectionEnd>;
  readonly version: ProtocolVersion;
  readonly #socket: Socket;
  readonly #stream: PacketStream;
  readonly #waiting: Packet[] = [];
  readonly #takers: ((packet: Packet | null) => void)[] = [];
  #onPacket: ((packet: Packet) => void) | null = null;
  #paused = false;
  #end: ConnectionEnd | null = null;
  #resolveClosed: (end: ConnectionEnd) => void = () => undefined;
  /** When bytes were last given to the socket, by `performance.now()`. */
  lastSentAtMs: number = performance.now();

  constructor(socket: Socket, version: ProtocolVersion) {
    this.version = version;
    this.#socket = socket;
    this.#stream = new PacketStream(version);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    socket.on('data', (chunk: Buffer) => {
      this.#stream.push(chunk);
      this.#deliver();
    });
    socket.on('end', () => this.#over({ kind: 'ended' }));
    socket.on('error', (error) => this.#over({ kind: 'failed', reason: error.message }));
    socket.on('close', () => this.#over({ kind: 'ended' }));
  }

  /** How the stream ended; null while it is open. */
  get end(): ConnectionEnd | null {
    return this.#end;
  }

  /** Bytes given to `send` that the system has not taken yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Encodes and sends. The result says whether the socket wants no more for now: see {@link drained}. */
  send(packet: Packet): 'sent' | 'pending' {
    return this.sendBytes(encodePacket(packet, this.version));
  }

  /** Sends any bytes, legal or not. The bytes must not be changed afterwards. */
  sendBytes(bytes: Uint8Array): 'sent' | 'pending' {
    if (this.#end !== null) return 'sent';
    this.lastSentAtMs = performance.now();
    return this.#socket.write(bytes) ? 'sent' : 'pending';
  }

  /** Resolves when the socket takes more, or is over. */
  drained(): Promise<void> {
    if (this.#end !== null || !this.#socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.removeListener('drain', done);
        this.#socket.removeListener('close', done);
        resolve();
      };
      this.#socket.once('drain', done);
      this.#socket.once('close', done);
    });
  }

  /**
   * The next packet, in the order of arrival; null once the stream is over and all were taken.
   *
   * @throws MqttClientError `CLIENT_TIMED_OUT`; the packet that comes later is not lost
   */
  next(timeoutMs: number): Promise<Packet | null> {
    const packet = this.#waiting.shift();
    if (packet !== undefined) {
      this.#deliver();
      return Promise.resolve(packet);
    }
    if (this.#end !== null) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const taker = (taken: Packet | null): void => {
        clearTimeout(timer);
        resolve(taken);
      };
      const timer = setTimeout(() => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        reject(
          new MqttClientError({ code: 'CLIENT_TIMED_OUT', operation: 'next packet', timeoutMs }),
        );
      }, timeoutMs);
      this.#takers.push(taker);
    });
  }

  /** From now on every packet goes to `receive` as it arrives, those that wait first. */
  onPacket(receive: (packet: Packet) => void): void {
    this.#onPacket = receive;
    for (const packet of this.#waiting.splice(0)) receive(packet);
    this.#deliver();
  }

  /** Takes no more packets: bytes stay in the system and the server feels it. Idempotent. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliver();
  }

  /** Sends what is pending, then closes; after `timeoutMs` at the latest. */
  close(timeoutMs: number): Promise<ConnectionEnd> {
    this.#over({ kind: 'closed' });
    if (this.#socket.destroyed) return this.closed;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), timeoutMs);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve(this.closed);
      });
      this.#socket.resume();
      this.#socket.end();
    });
  }

  /** Cuts the stream at once, as a crash of the client would; the server sees no DISCONNECT. */
  destroy(end: ConnectionEnd = { kind: 'closed' }): void {
    this.#over(end);
    this.#socket.destroy();
  }

  /** Cuts the stream with a TCP reset. */
  reset(): void {
    this.#over({ kind: 'closed' });
    this.#socket.resetAndDestroy();
  }

  #deliver(): void {
    while (!this.#paused && this.#end === null) {
      if (this.#onPacket === null && this.#waiting.length >= WAITING_PACKETS_MAX) break;
      const packet = this.#stream.next();
      if (packet === null) {
        this.#socket.resume();
        return;
      }
      if (packet.kind === 'malformed') {
        this.destroy({ kind: 'failed', reason: packet.reason });
        return;
      }
      this.#hand(packet);
    }
    if (this.#end === null) this.#socket.pause();
  }

  #hand(packet: Packet): void {
    if (this.#onPacket !== null) {
      this.#onPacket(packet);
      return;
    }
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(packet);
    else taker(packet);
  }

  #over(end: ConnectionEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    for (const taker of this.#takers.splice(0)) taker(null);
    this.#resolveClosed(end);
  }
}
