/**
 * Frames over gRPC: each broker opens one stream to each other broker and sends only there. The flow
 * control of HTTP/2 is the credit: a receiver that pauses fills the sender's window, and `send` then
 * answers `blocked`.
 *
 *     connecting ──admitted──▶ up ──┐
 *         ▲                        │ ended, refused, or not admitted in time
 *         └───────── pause ◀───────┘
 */

import { status } from '@grpc/grpc-js';
import type { RandomSource, TimerHandle, Timers } from '@robustmq/environment';
import {
  Backoff,
  type CallContext,
  type ChannelTls,
  type ClientDuplex,
  type Codec,
  defaultChannelLimits,
  type DuplexCall,
  type DuplexMethod,
  type Empty,
  mount,
  type MountedService,
  openChannel,
  refusal,
  type RpcChannel,
  type ServiceContract,
} from '@robustmq/rpc';
import type { FrameEvents, FrameTransport, PeerAddress, SendOutcome } from './frame-transport.ts';

/** What a transport is opened with. */
export interface GrpcFrameTransportOptions {
  /** Brokers of another cluster are refused. */
  readonly cluster: string;
  readonly self: number;
  readonly tls: ChannelTls | null;
  /** The cluster token; null: none is sent. */
  readonly token: string | null;
  /** LIMIT: frameBytesMax. As the server that mounts the service has it. */
  readonly frameBytesMax: number;
  /** From the first attempt until the other broker has let the stream in. */
  readonly connectMs: number;
  readonly timers: Timers;
  readonly random: RandomSource;
}

interface NodeLinkMethods {
  readonly exchange: DuplexMethod<Uint8Array, Empty>;
}

const bytesCodec: Codec<Uint8Array> = { encode: (bytes) => bytes, decode: (bytes) => bytes };
const emptyCodec: Codec<Empty> = { encode: () => new Uint8Array(0), decode: () => ({}) };

const NAME = 'robustmq.broker.v1.NodeLinkService';
const nodeLinkService: ServiceContract<NodeLinkMethods> = {
  name: NAME,
  methods: {
    exchange: {
      kind: 'duplex',
      path: `/${NAME}/Exchange`,
      request: bytesCodec,
      reply: emptyCodec,
    },
  },
};

const CLUSTER = 'robustmq-cluster';
const SENDER = 'robustmq-node';
const RECEIVER = 'robustmq-peer';
const SILENT: FrameEvents = { frame: () => {}, up: () => {}, down: () => {}, drained: () => {} };

type IncomingStream = DuplexCall<Uint8Array, Empty>;

/** Mount `service()` in the broker's server; then `setPeers` connects. */
export class GrpcFrameTransport implements FrameTransport {
  readonly #options: GrpcFrameTransportOptions;
  readonly #outgoing = new Map<number, OutgoingStream>();
  readonly #incoming = new Map<number, IncomingStream>();
  #events: FrameEvents = SILENT;
  #paused = false;
  #closed = false;

  constructor(options: GrpcFrameTransportOptions) {
    this.#options = options;
  }

  /** The receiving side, for `openRpcServer`. */
  service(): MountedService {
    return mount(nodeLinkService, { exchange: (call, context) => this.#accept(call, context) });
  }

  listen(events: FrameEvents): void {
    this.#events = events;
  }

  setPeers(peers: ReadonlyMap<number, PeerAddress>): void {
    if (this.#closed) return;
    for (const [node, stream] of this.#outgoing) {
      const peer = peers.get(node);
      const { address, incarnation } = stream.peer;
      if (peer?.address === address && peer.incarnation === incarnation) continue;
      this.#outgoing.delete(node);
      stream.close();
    }
    for (const [node, peer] of peers) {
      if (node === this.#options.self || this.#outgoing.has(node)) continue;
      this.#outgoing.set(node, new OutgoingStream(node, peer, this.#options, this.#events));
    }
  }

  send(to: number, frame: Uint8Array): SendOutcome {
    return this.#outgoing.get(to)?.send(frame) ?? 'down';
  }

  pause(): void {
    this.#paused = true;
    for (const call of this.#incoming.values()) call.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const call of this.#incoming.values()) call.resume();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#outgoing.values()) stream.close();
    this.#outgoing.clear();
    for (const call of this.#incoming.values()) call.abort(stopped());
    this.#incoming.clear();
  }

  #accept(call: IncomingStream, context: CallContext): void {
    if (this.#closed || context.closing.aborted) throw stopped();
    const from = senderOf(this.#options, context);
    const stop = (): void => call.abort(stopped());
    context.closing.addEventListener('abort', stop, { once: true });
    call.onEnd(() => {
      context.closing.removeEventListener('abort', stop);
      if (this.#incoming.get(from) === call) this.#incoming.delete(from);
    });
    call.onMessage((frame) => {
      if (this.#incoming.get(from) === call) this.#events.frame(from, frame);
    });
    call.onHalfClose(() => call.finish());
    // A broker that has come back speaks on its new stream only.
    const earlier = this.#incoming.get(from);
    this.#incoming.set(from, call);
    earlier?.abort(refusal(status.ABORTED, `broker ${from} has opened another stream`));
    if (this.#paused) call.pause();
  }
}

/** The stream to one peer, opened again whenever it ends. */
class OutgoingStream {
  readonly node: number;
  readonly peer: PeerAddress;
  readonly #options: GrpcFrameTransportOptions;
  readonly #events: FrameEvents;
  readonly #backoff: Backoff;
  #channel: RpcChannel | null = null;
  #stream: ClientDuplex<Empty, Uint8Array> | null = null;
  #timer: TimerHandle | null = null;
  #isUp = false;
  #closed = false;

  constructor(
    node: number,
    peer: PeerAddress,
    options: GrpcFrameTransportOptions,
    events: FrameEvents,
  ) {
    this.node = node;
    this.peer = peer;
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff({ firstMs: 20, longestMs: 1_000 }, options.random);
    this.#connect();
  }

  send(frame: Uint8Array): SendOutcome {
    if (this.#stream === null || !this.#isUp) return 'down';
    return this.#stream.write(frame) ? 'taken' : 'blocked';
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#leave();
  }

  #connect(): void {
    const { tls, token, cluster, self, connectMs, timers, frameBytesMax } = this.#options;
    const limits = { ...defaultChannelLimits, messageBytesMax: frameBytesMax };
    const channel = openChannel({ address: this.peer.address, tls, token, limits });
    const metadata = {
      // A cluster's name may have any characters, metadata only some.
      [CLUSTER]: encodeURIComponent(cluster),
      [SENDER]: `${self}`,
      [RECEIVER]: `${this.node}`,
    };
    const stream = channel.clientOf(nodeLinkService).exchange({ signal: null, metadata });
    this.#channel = channel;
    this.#stream = stream;
    this.#timer = timers.after(connectMs, () => this.#lose(stream));
    stream.onAdmitted(() => this.#admit(stream));
    stream.onMessage(() => {});
    stream.onDrain(() => {
      if (stream === this.#stream) this.#events.drained(this.node);
    });
    stream.onEnd(() => this.#lose(stream));
  }

  #admit(stream: ClientDuplex<Empty, Uint8Array>): void {
    if (stream !== this.#stream || this.#isUp) return;
    this.#timer?.cancel();
    this.#isUp = true;
    this.#backoff.reset();
    this.#events.up(this.node);
  }

  #lose(stream: ClientDuplex<Empty, Uint8Array>): void {
    if (stream !== this.#stream || this.#closed) return;
    this.#leave();
    this.#timer?.cancel();
    this.#timer = this.#options.timers.after(this.#backoff.nextMs(), () => this.#connect());
  }

  #leave(): void {
    const stream = this.#stream;
    const wasUp = this.#isUp;
    this.#stream = null;
    this.#isUp = false;
    stream?.abort();
    this.#channel?.close();
    this.#channel = null;
    if (wasUp) this.#events.down(this.node);
  }
}

/** @throws RpcError FAILED_PRECONDITION when the stream is not meant for this broker */
function senderOf(
  { cluster, self }: { readonly cluster: string; readonly self: number },
  context: CallContext,
): number {
  const given = context.metadata(CLUSTER) ?? '';
  if (given !== encodeURIComponent(cluster)) {
    throw refusal(status.FAILED_PRECONDITION, `this is cluster ${cluster}, not ${given}`);
  }
  const receiver = context.metadata(RECEIVER);
  if (receiver !== `${self}`) {
    throw refusal(status.FAILED_PRECONDITION, `this is broker ${self}, not ${receiver}`);
  }
  const sender = Number(context.metadata(SENDER) ?? '');
  if (!Number.isSafeInteger(sender) || sender < 1 || sender === self) {
    throw refusal(status.FAILED_PRECONDITION, `${sender} is no other broker`);
  }
  return sender;
}

function stopped(): Error {
  return refusal(status.UNAVAILABLE, 'this broker stops');
}
