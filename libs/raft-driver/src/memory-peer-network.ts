/** Joins hosts of one process: for tests, and for clusters embedded in one process. */
import type { Timers } from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import type { PeerTransport } from './peer-transport.ts';

/** Frames arrive in order, in a later turn of the event loop, unless the pair is cut. */
export class MemoryPeerNetwork {
  readonly #timers: Timers;
  readonly #receivers = new Map<NodeId, (from: NodeId, frame: Uint8Array) => void>();
  #isCut: (from: NodeId, to: NodeId) => boolean = () => false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** The transport of one node; opening it again replaces the earlier one. */
  open(node: NodeId): PeerTransport {
    let receiver: ((from: NodeId, frame: Uint8Array) => void) | null = null;
    return {
      send: (to, frame) => {
        this.#timers.soon(() => {
          if (receiver !== this.#receivers.get(node) || this.#isCut(node, to)) return;
          this.#receivers.get(to)?.(node, frame);
        });
      },
      onFrame: (receive) => {
        receiver = receive;
        this.#receivers.set(node, receive);
      },
      setPeers: () => undefined,
      close: async () => {
        if (this.#receivers.get(node) === receiver) this.#receivers.delete(node);
      },
    };
  }

  /** Frames between two nodes for which this says yes are lost. */
  cut(isCut: (from: NodeId, to: NodeId) => boolean): void {
    this.#isCut = isCut;
  }
}
