/**
 * Frames over gRPC: each broker opens one stream to each other broker and sends only there. Who lets it in
 * gives a ticket for a socket of its own on the same port, on which the frames then go ({@link SendingSocket});
 * with TLS, or when what stands between only speaks HTTP/2, they stay on the stream. A
 * receiver that pauses fills the sender's window either way, and `send` then answers `blocked`.
 *
 *     connecting ──ticket──▶ socket open, or none ──▶ up ──┐
 *         ▲                                               │ ended, refused, or not admitted in time
 *         └──────────────────── pause ◀───────────────────┘
 */

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
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
  mount,
  type MountedService,
  openChannel,
  type OtherConnections,
  refusal,
  type RpcChannel,
  type ServiceContract,
} from '@robustmq/rpc';
import {
  LINK_PREAMBLE,
  readTicket,
  ReceivingSocket,
  SendingSocket,
  TICKET_BYTES,
} from './frame-socket.ts';
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
  /** One reply, first: the ticket for a socket; empty: there is none. */
  readonly exchange: DuplexMethod<Uint8Array, Uint8Array>;
}

const bytesCodec: Codec<Uint8Array> = { encode: (bytes) => bytes, decode: (bytes) => bytes };

const NAME = 'robustmq.broker.v1.NodeLinkService';
const nodeLinkService: ServiceContract<NodeLinkMethods> = {
  name: NAME,
  methods: {
    exchange: {
      kind: 'duplex',
      path: `/${NAME}/Exchange`,
      request: bytesCodec,
      reply: bytesCodec,
    },
  },
};

const CLUSTER = 'robustmq-cluster';
const SENDER = 'robustmq-node';
const RECEIVER = 'robustmq-peer';
const SILENT: FrameEvents = { frame: () => {}, up: () => {}, down: () => {}, drained: () => {} };

type IncomingStream = DuplexCall<Uint8Array, Uint8Array>;

/** A stream that was let in, and its socket once that has come. */
interface Incoming {
  readonly call: IncomingStream;
  readonly ticket: Uint8Array;
  socket: ReceivingSocket | null;
}

/** Mount `service()` in the broker's server; then `setPeers` connects. */
export class GrpcFrameTransport implements FrameTransport {
  readonly #options: GrpcFrameTransportOptions;
  readonly #outgoing = new Map<number, OutgoingStream>();
  readonly #incoming = new Map<number, Incoming>();
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

  /** The sockets, for the same server; null: with TLS there are none. */
  sockets(): OtherConnections | null {
    if (this.#options.tls !== null) return null;
    return { preamble: LINK_PREAMBLE, accept: (socket) => this.#acceptSocket(socket) };
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
    for (const { call, socket } of this.#incoming.values()) {
      call.pause();
      socket?.pause();
    }
  }

  resume(): void {
    this.#paused = false;
    for (const { call, socket } of this.#incoming.values()) {
      call.resume();
      socket?.resume();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#outgoing.values()) stream.close();
    this.#outgoing.clear();
    for (const { call, socket } of this.#incoming.values()) {
      call.abort(stopped());
      socket?.close();
    }
    this.#incoming.clear();
  }

  #accept(call: IncomingStream, context: CallContext): void {
    if (this.#closed || context.closing.aborted) throw stopped();
    const from = senderOf(this.#options, context);
    const ticket = this.#options.tls === null ? randomBytes(TICKET_BYTES) : NO_TICKET;
    const incoming: Incoming = { call, ticket, socket: null };
    const stop = (): void => call.abort(stopped());
    context.closing.addEventListener('abort', stop, { once: true });
    call.onEnd(() => {
      context.closing.removeEventListener('abort', stop);
      incoming.socket?.close();
      if (this.#incoming.get(from) === incoming) this.#incoming.delete(from);
    });
    call.onMessage((frame) => this.#heard(from, incoming, frame));
    call.onHalfClose(() => call.finish());
    // A broker that has come back speaks on its new stream only.
    const earlier = this.#incoming.get(from);
    this.#incoming.set(from, incoming);
    earlier?.socket?.close();
    earlier?.call.abort(refusal(status.ABORTED, `broker ${from} has opened another stream`));
    call.write(ticket);
    if (this.#paused) call.pause();
  }

  #heard(from: number, incoming: Incoming, frame: Uint8Array): void {
    if (this.#incoming.get(from) === incoming) this.#events.frame(from, frame);
  }

  #acceptSocket(socket: Socket): void {
    readTicket(socket, (ticket) => {
      for (const [from, incoming] of this.#incoming) {
        if (incoming.socket !== null || !ticket.equals(incoming.ticket)) continue;
        incoming.socket = new ReceivingSocket(socket, {
          frameBytesMax: this.#options.frameBytesMax,
          take: (frame) => this.#heard(from, incoming, frame),
          ended: () => incoming.call.abort(refusal(status.ABORTED, 'the socket of it has ended')),
        });
        if (this.#paused) incoming.socket.pause();
        return;
      }
      socket.destroy();
    });
  }
}

const NO_TICKET = new Uint8Array(0);

type Stream = ClientDuplex<Uint8Array, Uint8Array>;

/** The stream to one peer, opened again whenever it ends. */
class OutgoingStream {
  readonly node: number;
  readonly peer: PeerAddress;
  readonly #options: GrpcFrameTransportOptions;
  readonly #events: FrameEvents;
  readonly #backoff: Backoff;
  #channel: RpcChannel | null = null;
  #stream: Stream | null = null;
  #socket: SendingSocket | null = null;
  #opening: { readonly cancel: () => void } | null = null;
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
    const hasRoom = this.#socket?.send(frame) ?? this.#stream.write(frame);
    return hasRoom ? 'taken' : 'blocked';
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
    stream.onMessage((ticket) => this.#admitted(stream, ticket));
    stream.onDrain(() => {
      if (stream === this.#stream && this.#socket === null) this.#events.drained(this.node);
    });
    stream.onEnd(() => this.#lose(stream));
  }

  #admitted(stream: Stream, ticket: Uint8Array): void {
    if (stream !== this.#stream || this.#isUp || this.#opening !== null) return;
    if (ticket.length !== TICKET_BYTES) {
      this.#goUp(stream);
      return;
    }
    const events = {
      drained: () => {
        if (stream === this.#stream) this.#events.drained(this.node);
      },
      ended: () => this.#lose(stream),
    };
    this.#opening = SendingSocket.open(this.peer.address, ticket, events, (socket) => {
      if (stream !== this.#stream || this.#isUp) {
        socket?.close();
        return;
      }
      this.#socket = socket;
      this.#goUp(stream);
    });
  }

  #goUp(stream: Stream): void {
    if (stream !== this.#stream || this.#isUp) return;
    this.#timer?.cancel();
    this.#isUp = true;
    this.#backoff.reset();
    this.#events.up(this.node);
  }

  #lose(stream: Stream): void {
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
    this.#opening?.cancel();
    this.#opening = null;
    this.#socket?.close();
    this.#socket = null;
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
