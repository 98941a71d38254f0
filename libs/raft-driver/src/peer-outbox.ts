/** Gathers what all groups have to say to a node within one turn of the event loop: one frame. */
import type { NodeId, RaftMessage } from '@robustmq/raft';
import {
  encodedMessageBytes,
  encodeMessages,
  type FrameHeader,
  type GroupMessage,
} from './raft-frame.ts';

/** More than this goes in several frames; a larger message travels alone. */
const FRAME_BYTES_TARGET = 1024 * 1024;

interface Gathered {
  messages: GroupMessage[];
  bytes: number;
}

export class PeerOutbox {
  readonly #headerTo: (to: NodeId) => FrameHeader;
  readonly #send: (to: NodeId, frame: Uint8Array) => void;
  readonly #gathered = new Map<NodeId, Gathered>();
  messagesSent = 0;

  constructor(
    headerTo: (to: NodeId) => FrameHeader,
    send: (to: NodeId, frame: Uint8Array) => void,
  ) {
    this.#headerTo = headerTo;
    this.#send = send;
  }

  add(groupId: number, message: RaftMessage): void {
    const { to } = message;
    let gathered = this.#gathered.get(to);
    if (gathered === undefined) {
      gathered = { messages: [], bytes: 0 };
      this.#gathered.set(to, gathered);
    }
    const bytes = encodedMessageBytes(message);
    if (gathered.bytes > 0 && gathered.bytes + bytes > FRAME_BYTES_TARGET) {
      this.#sendTo(to, gathered);
    }
    gathered.messages.push({ groupId, message });
    gathered.bytes += bytes;
    this.messagesSent += 1;
  }

  flush(): void {
    for (const [to, gathered] of this.#gathered) {
      if (gathered.messages.length > 0) this.#sendTo(to, gathered);
    }
  }

  #sendTo(to: NodeId, gathered: Gathered): void {
    const { messages, bytes } = gathered;
    gathered.messages = [];
    gathered.bytes = 0;
    this.#send(to, encodeMessages(this.#headerTo(to), messages, bytes));
  }
}
