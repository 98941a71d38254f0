import { NameTree } from '@robustmq/topic';
import type { Message } from './message.ts';

/**
 * The last retained message of each topic (MQTT-5.0 §3.3.1.3). Bounded by count and bytes: a new
 * topic beyond either is refused, a replacement of the same topic is not.
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
    if (this.#bytes + message.byteCost <= this.#bytesMax && this.count < this.#messagesMax) {
      return true;
    }
    const known = this.#tree.get(message.topic.name);
    return known !== undefined && this.#bytes - known.byteCost + message.byteCost <= this.#bytesMax;
  }

  /** Stores a kept message (the store owns it from now on). */
  set(message: Message): void {
    const previous = this.#tree.set(message.topic.name, message);
    this.#bytes += message.byteCost - (previous === undefined ? 0 : previous.byteCost);
  }

  /** @returns whether there was one */
  delete(name: string): boolean {
    const previous = this.#tree.get(name);
    if (previous === undefined) return false;
    this.#tree.delete(name);
    this.#bytes -= previous.byteCost;
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

export interface RetainedCursor {
  /** Up to `max` further pairs; an empty array ends it. */
  next(max: number): readonly (readonly [name: string, message: Message])[];
}
