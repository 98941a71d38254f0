import type { NodeId } from '@robustmq/raft';

/**
 * Carries frames between the nodes of a cluster: one connection per pair of nodes for all groups.
 *
 * Frames (raft-frame.ts) are opaque here. Any may be lost; those that arrive on one connection do so in
 * order. A frame for a node that can't be reached, or behind more unsent bytes than the transport
 * holds, is dropped and counted: Raft repeats what matters.
 */
export interface PeerTransport {
  /** Never blocks, never throws. The transport owns `frame`. */
  send(to: NodeId, frame: Uint8Array): void;
  /** Set once, before the first frame arrives. The receiver owns `frame`. */
  onFrame(receive: (from: NodeId, frame: Uint8Array) => void): void;
  /** Replaces the addresses of the other nodes; connections to those left out are closed. */
  setPeers(peers: ReadonlyMap<NodeId, string>): void;
  close(): Promise<void>;
}
