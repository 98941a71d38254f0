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
  /** Where an append without entries stands, by group. */
  readonly emptyAppends: Map<number, number>;
}

/** Says the commit index, as any later append does. */
export function isEmptyAppend(message: RaftMessage): boolean {
  return message.kind === 'appendRequest' && message.entries.length === 0;
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
      gathered = { messages: [], bytes: 0, emptyAppends: new Map() };
      this.#gathered.set(to, gathered);
    }
    const bytes = encodedMessageBytes(message);
    this.messagesSent += 1;
    if (gathered.bytes > 0 && gathered.bytes + bytes > FRAME_BYTES_TARGET) {
      this.#sendTo(to, gathered);
    }
    gather(gathered, { groupId, message }, bytes);
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
    gathered.emptyAppends.clear();
    this.#send(to, encodeMessages(this.#headerTo(to), messages, bytes));
  }
}

function gather(gathered: Gathered, each: GroupMessage, bytes: number): void {
  const { groupId, message } = each;
  const { messages, emptyAppends } = gathered;
  const at = message.kind === 'appendRequest' ? emptyAppends.get(groupId) : undefined;
  const replaced = at === undefined ? undefined : messages[at];
  const place = replaced === undefined ? messages.length : (at as number);
  // A later append says the same, and no message relies on the order of others.
  messages[place] = each;
  gathered.bytes += bytes - (replaced === undefined ? 0 : encodedMessageBytes(replaced.message));
  if (isEmptyAppend(message)) emptyAppends.set(groupId, place);
  else if (replaced !== undefined) emptyAppends.delete(groupId);
}
