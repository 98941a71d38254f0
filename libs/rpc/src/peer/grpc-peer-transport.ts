/** Raft frames over gRPC: each node opens one stream to each other node and sends only there. */
import { status } from '@grpc/grpc-js';
import type { NodeId } from '@robustmq/raft';
import type { PeerTransport } from '@robustmq/raft-driver';
import { type Empty, raftTransportService } from '../contract/store-services.ts';
import type { DuplexCall } from '../duplex-call.ts';
import { refusal } from '../rpc-error.ts';
import { type CallContext, mount, type MountedService } from '../server/implementation.ts';
import { senderOf } from './handshake.ts';
import { PeerLink } from './peer-link.ts';
import type { PeerTransportCounters, PeerTransportOptions } from './peer-transport-options.ts';

type IncomingStream = DuplexCall<readonly Uint8Array[], Empty>;

/** Mount `service()` in the node's server; then `setPeers` connects. */
export class GrpcPeerTransport implements PeerTransport {
  readonly #options: PeerTransportOptions;
  readonly #links = new Map<NodeId, PeerLink>();
  readonly #incoming = new Map<NodeId, IncomingStream>();
  #receive: (from: NodeId, frame: Uint8Array) => void = () => {};
  #framesSent = 0;
  #framesReceived = 0;
  #framesDropped = 0;
  #closed = false;

  constructor(options: PeerTransportOptions) {
    this.#options = options;
  }

  get counters(): PeerTransportCounters {
    return {
      framesSent: this.#framesSent,
      framesReceived: this.#framesReceived,
      framesDropped: this.#framesDropped,
    };
  }

  /** The receiving side, for `openRpcServer`. */
  service(): MountedService {
    return mount(raftTransportService, {
      exchange: (call, context) => this.#accept(call, context),
    });
  }

  send(to: NodeId, frame: Uint8Array): void {
    const link = this.#links.get(to);
    if (link === undefined) this.#framesDropped += 1;
    else link.send(frame);
  }

  onFrame(receive: (from: NodeId, frame: Uint8Array) => void): void {
    this.#receive = receive;
  }

  setPeers(peers: ReadonlyMap<NodeId, string>): void {
    if (this.#closed) return;
    for (const [node, link] of this.#links) {
      if (peers.get(node) === link.address) continue;
      this.#links.delete(node);
      link.close();
    }
    for (const [node, address] of peers) {
      if (node === this.#options.self || this.#links.has(node)) continue;
      this.#links.set(node, this.#linkTo(node, address));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    for (const call of this.#incoming.values()) call.abort(stopped());
    this.#incoming.clear();
  }

  #linkTo(node: NodeId, address: string): PeerLink {
    const { observer } = this.#options;
    return new PeerLink(this.#options, {
      node,
      address,
      sent: (count) => {
        this.#framesSent += count;
      },
      dropped: (count) => {
        this.#framesDropped += count;
      },
      connected: () => observer.connected(node),
      lost: (error) => observer.lost(node, error),
    });
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
    call.onMessage((frames) => this.#take(from, call, frames));
    call.onHalfClose(() => call.finish());
    // A node that has come back speaks on its new stream only.
    const earlier = this.#incoming.get(from);
    this.#incoming.set(from, call);
    earlier?.abort(refusal(status.ABORTED, `node ${from} has opened another stream`));
  }

  #take(from: NodeId, call: IncomingStream, frames: readonly Uint8Array[]): void {
    if (this.#incoming.get(from) !== call) return;
    this.#framesReceived += frames.length;
    for (const frame of frames) this.#receive(from, frame);
  }
}

function stopped(): Error {
  return refusal(status.UNAVAILABLE, 'this node stops');
}
