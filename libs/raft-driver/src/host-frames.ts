/** The frames of a host: to whom they go, from whom they are taken, and whether nodes are alive. */
import type { NodeId, RaftMessage } from '@robustmq/raft';
import { MalformedError } from './byte-reader.ts';
import type { GroupDriver } from './group-driver.ts';
import { equalBytes, type MemberIdentity } from './member-identity.ts';
import { PeerOutbox } from './peer-outbox.ts';
import {
  decodeFrame,
  encodeMessages,
  encodeRefusal,
  type FrameHeader,
  type RaftFrame,
} from './raft-frame.ts';
import type { PeerRefusal, RaftHostCounters, RaftHostOptions } from './raft-host.ts';
import type { TickSource } from './tick-source.ts';

/** A node that sends nothing else to one it shares a sleeping group with sends a sign of life. */
const LIFE_SIGN_TICKS = 3;
/** A node that was silent for so long is suspected. */
const SUSPECT_TICKS = 10;

interface HostParts {
  readonly groups: ReadonlyMap<number, GroupDriver<unknown>>;
  readonly ticks: TickSource;
}

export class HostFrames {
  readonly #options: RaftHostOptions;
  readonly #identity: MemberIdentity;
  readonly #parts: HostParts;
  readonly #outbox: PeerOutbox;
  readonly #sentAt = new Map<NodeId, number>();
  readonly #heardAt = new Map<NodeId, number>();
  readonly #refusedAt = new Map<NodeId, number>();
  #hasMetCluster = false;
  #framesSent = 0;
  #framesReceived = 0;
  #framesMalformed = 0;
  #framesRefused = 0;
  #messagesUnclaimed = 0;

  constructor(options: RaftHostOptions, identity: MemberIdentity, parts: HostParts) {
    this.#options = options;
    this.#identity = identity;
    this.#parts = parts;
    this.#outbox = new PeerOutbox(
      (to) => this.#headerTo(to),
      (to, frame) => this.#sendFrame(to, frame),
    );
    options.transport.onFrame((from, frame) => this.#onFrame(from, frame));
  }

  get counters(): Omit<RaftHostCounters, 'snapshotFailures' | 'flushes' | 'bytesWritten'> {
    return {
      framesSent: this.#framesSent,
      framesReceived: this.#framesReceived,
      framesMalformed: this.#framesMalformed,
      framesRefused: this.#framesRefused,
      messagesSent: this.#outbox.messagesSent,
      messagesUnclaimed: this.#messagesUnclaimed,
    };
  }

  /** At the end of the turn. */
  send(groupId: number, message: RaftMessage): void {
    this.#outbox.add(groupId, message);
  }

  flush(): void {
    this.#outbox.flush();
  }

  /** Signs of life for sleeping groups. @returns whether some group relies on them */
  tick(): boolean {
    const sleeping = [...this.#parts.groups.values()].filter((group) => group.isQuiescent);
    const { now } = this.#parts.ticks;
    const nodes = new Set(sleeping.flatMap((group) => group.members));
    nodes.delete(this.#options.nodeId);
    for (const node of nodes) {
      if (now - (this.#sentAt.get(node) ?? 0) >= LIFE_SIGN_TICKS) {
        this.#sendFrame(node, encodeMessages(this.#headerTo(node), [], 0));
      }
      const heardAt = this.#heardAt.get(node);
      if (heardAt === undefined) this.#heardAt.set(node, now);
      else if (now - heardAt >= SUSPECT_TICKS) {
        for (const group of sleeping) group.nodeSuspected(node);
      }
    }
    return nodes.size > 0;
  }

  #headerTo(to: NodeId): FrameHeader {
    const { cluster, member } = this.#identity;
    return { from: this.#options.nodeId, to, cluster, member };
  }

  #sendFrame(to: NodeId, frame: Uint8Array): void {
    this.#framesSent += 1;
    this.#sentAt.set(to, this.#parts.ticks.now);
    this.#options.transport.send(to, frame);
  }

  #onFrame(from: NodeId, bytes: Uint8Array): void {
    this.#framesReceived += 1;
    let frame: RaftFrame;
    try {
      frame = decodeFrame(bytes);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#framesMalformed += 1;
      return;
    }
    const { header } = frame;
    if (header.from !== from || header.to !== this.#options.nodeId) this.#framesMalformed += 1;
    else if (frame.kind === 'refusal') this.#onRefusal(frame);
    else if (this.#admits(header)) this.#deliver(frame);
  }

  /** Whether the sender is who it was before. */
  #admits(header: FrameHeader): boolean {
    const { from, cluster, member } = header;
    if (!equalBytes(cluster, this.#identity.cluster)) return this.#refuse(header, 'otherCluster');
    const verdict = this.#identity.judge(from, member);
    if (verdict === 'other') return this.#refuse(header, 'otherMember');
    this.#hasMetCluster = true;
    this.#heardAt.set(from, this.#parts.ticks.now);
    return verdict === 'known';
  }

  /** The refused node is told, once per tick at most. */
  #refuse({ from, member }: FrameHeader, reason: PeerRefusal['reason']): false {
    this.#framesRefused += 1;
    const { now } = this.#parts.ticks;
    if (this.#refusedAt.get(from) !== now) {
      this.#refusedAt.set(from, now);
      this.#sendFrame(from, encodeRefusal(this.#headerTo(from), reason, member));
    }
    return false;
  }

  #onRefusal(frame: Extract<RaftFrame, { kind: 'refusal' }>): void {
    const { reason, refused, header } = frame;
    // Meant for an earlier member behind this node id.
    if (!equalBytes(refused, this.#identity.member)) return;
    // A stray node of another cluster must not bring down one that has found its own.
    if (reason === 'otherCluster' && this.#hasMetCluster) return;
    this.#options.onRefused({
      by: header.from,
      reason,
      sentence: this.#sentence(reason, header.from),
    });
  }

  #sentence(reason: PeerRefusal['reason'], by: NodeId): string {
    const { nodeId, directory, clusterId } = this.#options;
    return reason === 'otherCluster'
      ? `node ${by} belongs to another cluster than "${clusterId}": correct the cluster id or the addresses of the peers`
      : `node ${by} knows node ${nodeId} with another data directory than ${directory}: a node that lost its disk is removed from the cluster and returns under a new node id`;
  }

  #deliver(frame: Extract<RaftFrame, { kind: 'messages' }>): void {
    for (const { groupId, message } of frame.messages) {
      const group = this.#parts.groups.get(groupId);
      if (group === undefined) this.#messagesUnclaimed += 1;
      else group.receive(message);
    }
  }
}
