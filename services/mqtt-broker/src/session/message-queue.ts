import type { Delivery, Message } from '@robustmq/broker';

/** A kept message that waits for room in its receiver's window or socket. */
export interface QueuedMessage {
  readonly message: Message;
  readonly delivery: Delivery;
}

/** A first-in first-out queue with its size in bytes. Bounded by its owner, which asks before it adds. */
export class MessageQueue {
  #items: (QueuedMessage | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get count(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(item: QueuedMessage): void {
    this.#items.push(item);
    this.#bytes += item.message.byteCost;
  }

  peek(): QueuedMessage | undefined {
    return this.#items[this.#head];
  }

  shift(): QueuedMessage | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= item.message.byteCost;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
