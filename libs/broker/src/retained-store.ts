import { NameTree } from '@robustmq/topic';
import type { Message } from './message.ts';

/** What a message that nobody shares costs beyond `byteCost`: its topic, its place in the tree, its arrays. */
const UNSHARED_BYTES = 600;

/**
 * The last retained message of each topic (MQTT-5.0 [MQTT-3.3.1-5]). Bounded by count and bytes: a new
 * topic beyond either is refused, and a replacement of the same topic when it is too large.
 *
 * LIMIT: retainedMessagesMax, retainedBytesMax
 */
export class RetainedStore {
  readonly #tree = new NameTree<Message>();
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(limits: { readonly messagesMax: number; readonly bytesMax: number }) {
    this.#messagesMax = limits.messagesMax;
    this.#bytesMax = limits.bytesMax;
  }

  get count(): number {
    return this.#tree.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `set` would take it. */
  hasRoomFor(message: Message): boolean {
    const cost = costOf(message);
    if (this.#bytes + cost <= this.#bytesMax && this.count < this.#messagesMax) return true;
    const known = this.#tree.get(message.topic.name);
    return known !== undefined && this.#bytes - costOf(known) + cost <= this.#bytesMax;
  }

  /** Stores a kept message (the store owns it from now on). */
  set(message: Message): void {
    const previous = this.#tree.set(message.topic.name, message);
    this.#bytes += costOf(message) - (previous === undefined ? 0 : costOf(previous));
  }

  /** @returns whether there was one */
  delete(name: string): boolean {
    const previous = this.#tree.delete(name);
    if (previous === undefined) return false;
    this.#bytes -= costOf(previous);
    return true;
  }

  get(name: string): Message | undefined {
    return this.#tree.get(name);
  }

  /** Pages through the retained messages that match; tolerant of changes between two pages. */
  cursor(filter: string): RetainedCursor {
    return this.#tree.cursor(filter);
  }
}

/** The message keeps its topic, whose name is there as text and as bytes. */
function costOf(message: Message): number {
  return message.byteCost + UNSHARED_BYTES + 2 * message.topic.bytes.length;
}

/** A walk through the retained messages that match a filter. */
export interface RetainedCursor {
  /** Up to `max` further pairs; an empty array ends it. */
  next(max: number): readonly (readonly [name: string, message: Message])[];
}
