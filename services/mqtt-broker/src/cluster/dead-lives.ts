import type { ProducerName } from '@robustmq/journal';
import type { NodeLife, SessionOwner } from '@robustmq/placement-registry';

/**
 * Sees to it that no life of a broker that is over commits anything any more, before a session that it
 * may have owned is used. A life is fenced once by each broker; nothing is fenced that is alive.
 */
export class DeadLives {
  readonly #fence: (producer: ProducerName) => Promise<void>;
  /** By node: the newest incarnation that is fenced. */
  readonly #fenced = new Map<number, number>();

  constructor(fence: (producer: ProducerName) => Promise<void>) {
    this.#fence = fence;
  }

  /** @param lives  as they are registered, read after the session was claimed. @throws JournalError */
  async settle(lives: readonly NodeLife[]): Promise<void> {
    await Promise.all(
      lives.map(async ({ nodeId, incarnation, record }) => {
        const over = record === null ? incarnation : incarnation - 1;
        if (over < 1 || (this.#fenced.get(nodeId) ?? 0) >= over) return;
        await this.#fence({ id: nodeId, incarnation: over });
        this.#fenced.set(nodeId, Math.max(over, this.#fenced.get(nodeId) ?? 0));
      }),
    );
  }
}

/** Whether both are of one life of one broker. */
export function isSameLife(first: SessionOwner, second: SessionOwner): boolean {
  return first.nodeId === second.nodeId && first.incarnation === second.incarnation;
}

/** Whether the life of the owner is registered. */
export function isAlive(owner: SessionOwner, lives: readonly NodeLife[]): boolean {
  return lives.some(
    ({ nodeId, record }) => nodeId === owner.nodeId && record?.incarnation === owner.incarnation,
  );
}
