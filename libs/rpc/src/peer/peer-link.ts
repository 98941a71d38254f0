/**
 * The way to one other node: a stream that is opened again whenever it ends.
 *
 *     connecting ──admitted──▶ open ──┐
 *         ▲                          │ ended, refused or not admitted in time
 *         └────────── pause ◀────────┘
 *
 * Frames are taken while connecting and open; during a pause they are dropped.
 */
import type { TimerHandle } from '@robustmq/environment';
import { status } from '@grpc/grpc-js';
import { Backoff } from '../backoff.ts';
import type { ClientDuplex } from '../client/client-duplex.ts';
import { openChannel, type RpcChannel } from '../client/rpc-channel.ts';
import { type Empty, raftTransportService } from '../contract/store-services.ts';
import { refusal, type RpcError } from '../rpc-error.ts';
import { handshakeOf } from './handshake.ts';
import type { PeerLinkFacts, PeerTransportOptions } from './peer-transport-options.ts';

/** A message has about as much; a larger frame travels alone. */
const BATCH_BYTES = 256 * 1024;
/** What a message adds to its only frame. */
const ENVELOPE_BYTES = 16;

type ExchangeStream = ClientDuplex<Empty, readonly Uint8Array[]>;

/** One direction of one pair of nodes. */
export class PeerLink {
  readonly #options: PeerTransportOptions;
  readonly #facts: PeerLinkFacts;
  readonly #backoff: Backoff;
  #channel: RpcChannel | null = null;
  #stream: ExchangeStream | null = null;
  #timer: TimerHandle | null = null;
  #open = false;
  #blocked = false;
  #scheduled = false;
  #closed = false;
  #frames: Uint8Array[] = [];
  #unsentBytes = 0;

  constructor(options: PeerTransportOptions, facts: PeerLinkFacts) {
    this.#options = options;
    this.#facts = facts;
    this.#backoff = new Backoff(options.limits.reconnect, options.random);
    this.#connect();
  }

  get address(): string {
    return this.#facts.address;
  }

  send(frame: Uint8Array): void {
    const { unsentBytesMax, messageBytesMax } = this.#options.limits;
    const fits = this.#unsentBytes + frame.length <= unsentBytesMax || this.#frames.length === 0;
    if (this.#stream === null || !fits || frame.length + ENVELOPE_BYTES > messageBytesMax) {
      this.#facts.dropped(1);
      return;
    }
    this.#frames.push(frame);
    this.#unsentBytes += frame.length;
    if (this.#scheduled || this.#blocked || !this.#open) return;
    this.#scheduled = true;
    this.#options.timers.soon(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  close(): void {
    this.#closed = true;
    this.#leave();
    this.#timer?.cancel();
  }

  #connect(): void {
    const { tls, token, limits, timers } = this.#options;
    const { address } = this.#facts;
    const channel = openChannel({
      address,
      tls,
      token,
      limits: {
        messageBytesMax: limits.messageBytesMax,
        keepAliveMs: limits.keepAliveMs,
        keepAliveTimeoutMs: limits.keepAliveTimeoutMs,
        reconnectFirstMs: limits.reconnect.firstMs,
        reconnectLongestMs: limits.reconnect.longestMs,
      },
    });
    const metadata = handshakeOf(this.#options, this.#facts.node);
    const client = channel.clientOf(raftTransportService);
    const stream = client.exchange({ signal: null, metadata });
    this.#channel = channel;
    this.#stream = stream;
    this.#timer = timers.after(limits.connectMs, () =>
      this.#lose(stream, refusal(status.UNAVAILABLE, `${address} did not answer in time`)),
    );
    stream.onAdmitted(() => this.#admit(stream));
    stream.onMessage(() => {});
    stream.onDrain(() => {
      this.#blocked = false;
      this.#flush();
    });
    stream.onEnd((error) => this.#lose(stream, error));
  }

  #admit(stream: ExchangeStream): void {
    if (stream !== this.#stream || this.#open) return;
    this.#timer?.cancel();
    this.#open = true;
    this.#backoff.reset();
    this.#facts.connected();
    this.#flush();
  }

  #flush(): void {
    const stream = this.#stream;
    if (stream === null || !this.#open) return;
    let next = 0;
    while (next < this.#frames.length && !this.#blocked) {
      const batch: Uint8Array[] = [];
      let bytes = 0;
      for (let frame = this.#frames[next]; frame !== undefined; frame = this.#frames[next]) {
        if (batch.length > 0 && bytes + frame.length > BATCH_BYTES) break;
        batch.push(frame);
        bytes += frame.length;
        next += 1;
      }
      this.#unsentBytes -= bytes;
      this.#facts.sent(batch.length);
      this.#blocked = !stream.write(batch);
    }
    if (next > 0) this.#frames = this.#frames.slice(next);
  }

  #lose(stream: ExchangeStream, error: RpcError | null): void {
    if (stream !== this.#stream || this.#closed) return;
    this.#leave();
    this.#facts.lost(error);
    this.#timer?.cancel();
    this.#timer = this.#options.timers.after(this.#backoff.nextMs(), () => this.#connect());
  }

  /** Ends the stream and its connection, and forgets what was not sent. */
  #leave(): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#open = false;
    this.#blocked = false;
    if (this.#frames.length > 0) this.#facts.dropped(this.#frames.length);
    this.#frames = [];
    this.#unsentBytes = 0;
    stream?.abort();
    this.#channel?.close();
    this.#channel = null;
  }
}
