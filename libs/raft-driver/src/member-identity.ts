/**
 * Who this node is, and who the others were when first met.
 *
 * A data directory gets a random member identity when it is made. Each frame carries it. A node
 * remembers, durably and before it takes a first frame, which member identity stands behind a node
 * id; frames of that node id with another one are refused for ever. So a node that lost its disk,
 * and with it its votes and what it acknowledged, can't come back as its old self: it is removed
 * and returns under a new node id (raft/identifiers.ts).
 */
import { createHash } from 'node:crypto';
import type { FileSystem, RandomSource } from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import { readCheckedText, writeCheckedText } from './checked-text-file.ts';
import { corrupt } from './log-recovery.ts';
import { IDENTITY_BYTES } from './raft-frame.ts';

const IDENTITY_FILE = 'identity';
const PEERS_FILE = 'peers';

interface StoredIdentity {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly memberId: string;
}

export interface IdentityPlace {
  readonly fileSystem: FileSystem;
  readonly random: RandomSource;
  readonly directory: string;
  readonly clusterId: string;
  readonly nodeId: NodeId;
}

export class MemberIdentity {
  readonly memberId: string;
  readonly member: Uint8Array;
  readonly cluster: Uint8Array;
  readonly #place: IdentityPlace;
  readonly #peers: Map<NodeId, Uint8Array>;
  readonly #meeting = new Set<NodeId>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(place: IdentityPlace, memberId: string, peers: Map<NodeId, Uint8Array>) {
    this.#place = place;
    this.#peers = peers;
    this.memberId = memberId;
    this.member = bytesOf(memberId);
    this.cluster = clusterBytes(place.clusterId);
  }

  /**
   * @param isNew  whether the directory holds no group: only then an identity may be made
   * @throws RaftError RAFT_LOG_CORRUPT  damaged, missing, or of another node or cluster
   */
  static async open(place: IdentityPlace, isNew: boolean): Promise<MemberIdentity> {
    const { fileSystem, directory } = place;
    const memberId = await openIdentity(place, isNew);
    const stored = await readCheckedText(fileSystem, `${directory}/${PEERS_FILE}`);
    const peers = new Map<NodeId, Uint8Array>();
    for (const [node, peer] of Object.entries((stored ?? {}) as Record<string, string>)) {
      peers.set(Number(node) as NodeId, bytesOf(peer));
    }
    return new MemberIdentity(place, memberId, peers);
  }

  /**
   * Judges the sender of a frame of this cluster. `met` means that it is being written down: drop
   * this frame, a later one will be known.
   */
  judge(node: NodeId, member: Uint8Array): 'known' | 'met' | 'other' {
    const peer = this.#peers.get(node);
    if (peer !== undefined) return equalBytes(peer, member) ? 'known' : 'other';
    if (!this.#meeting.has(node)) this.#meet(node, member.slice());
    return 'met';
  }

  /** What is being written down is durable. */
  settled(): Promise<void> {
    return this.#writing;
  }

  #meet(node: NodeId, member: Uint8Array): void {
    this.#meeting.add(node);
    this.#writing = this.#writing.then(async () => {
      const all: Record<string, string> = { [node]: hexOf(member) };
      for (const [id, peer] of this.#peers) all[id] = hexOf(peer);
      try {
        const path = `${this.#place.directory}/${PEERS_FILE}`;
        await writeCheckedText(this.#place.fileSystem, path, all);
        this.#peers.set(node, member);
      } catch {
        // Its frames stay unheard; the next one is another attempt, and the log's own writes tell
        // what is wrong with the disk.
      } finally {
        this.#meeting.delete(node);
      }
    });
  }
}

async function openIdentity(place: IdentityPlace, isNew: boolean): Promise<string> {
  const { fileSystem, directory, clusterId, nodeId, random } = place;
  const path = `${directory}/${IDENTITY_FILE}`;
  const stored = (await readCheckedText(fileSystem, path)) as StoredIdentity | null;
  if (stored !== null) {
    if (stored.clusterId === clusterId && stored.nodeId === nodeId) return stored.memberId;
    const detail = `it belongs to node ${stored.nodeId} of cluster "${stored.clusterId}", not to node ${nodeId} of "${clusterId}"`;
    throw corrupt(path, 0, detail);
  }
  if (!isNew) throw corrupt(path, 0, 'the file is gone, but there are groups beside it');
  const member = new Uint8Array(IDENTITY_BYTES);
  random.fill(member);
  const memberId = hexOf(member);
  await writeCheckedText(fileSystem, path, { clusterId, nodeId, memberId });
  return memberId;
}

export function clusterBytes(clusterId: string): Uint8Array {
  const digest = createHash('sha256').update(clusterId).digest();
  return new Uint8Array(digest.subarray(0, IDENTITY_BYTES));
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at += 1) if (left[at] !== right[at]) return false;
  return true;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  }
  return bytes;
}
