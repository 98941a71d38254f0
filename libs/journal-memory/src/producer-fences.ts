/** Which lives of which producers a shard takes appends from. */
import { JournalError } from '@robustmq/journal';
import type { ProducerName } from '@robustmq/journal';

export class ProducerFences {
  /** The lowest incarnation that is taken, per producer id. One entry per node of the cluster. */
  readonly #lowest = new Map<number, number>();
  readonly #shard: string;

  constructor(shard: string) {
    this.#shard = shard;
  }

  /** Every lower incarnation is over from now on. @throws JournalError JOURNAL_FENCED */
  admit(producer: ProducerName): void {
    const lowest = this.#lowest.get(producer.id) ?? 0;
    if (producer.incarnation < lowest) {
      const detail = `producer ${producer.id} appends as ${producer.incarnation}, ${lowest} is the lowest that may`;
      throw new JournalError({ code: 'JOURNAL_FENCED', shard: this.#shard, detail });
    }
    this.#lowest.set(producer.id, producer.incarnation);
  }

  fence(producer: ProducerName): void {
    const lowest = this.#lowest.get(producer.id) ?? 0;
    this.#lowest.set(producer.id, Math.max(lowest, producer.incarnation + 1));
  }
}
