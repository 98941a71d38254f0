/**
 * What a shard promises: an acknowledged append is readable for ever after, at the offset that was told,
 * once, in the order of its producer; offsets have no gap; a fenced producer writes nothing more.
 */
import type { ProducerName } from '@robustmq/journal';
import type { RecordOwner, ShardApplied, ShardLog } from './shard-log.ts';
import { Violation } from './violation.ts';

export class ShardChecker {
  /** By offset, as the first node that applied it had it. */
  readonly #owners: RecordOwner[] = [];
  /** Highest sequence written, by producer and incarnation. */
  readonly #written = new Map<string, number>();
  /** By producer: no incarnation up to this one may write. */
  readonly #fenced = new Map<number, number>();

  /** Of records that were written once. */
  get recordCount(): number {
    return this.#owners.length;
  }

  /** A node applied one entry of the shard; every node applies each, so all but the first are checked. */
  applied(node: number, { outcome, owner, recordCount }: ShardApplied): void {
    if (outcome.kind !== 'appended' || owner === null) return;
    const { base } = outcome;
    if (base > this.#owners.length) {
      throw new Violation(
        'shard offsets',
        `node ${node} writes ${base} after ${this.#owners.length}`,
      );
    }
    const isNews = base === this.#owners.length;
    if (isNews) this.#wrote(owner);
    for (let at = 0; at < recordCount; at += 1) {
      const known = this.#owners[base + at];
      if (isNews) this.#owners.push(owner);
      else if (known === undefined || !isSame(known, owner)) {
        throw new Violation('shard offsets', `node ${node} has another record at ${base + at}`);
      }
    }
  }

  /** A producer was told where its append is. */
  acknowledged(owner: RecordOwner, base: number): void {
    const known = this.#owners[base];
    const before = this.#owners[base - 1];
    if (known !== undefined && isSame(known, owner) && !(before && isSame(before, owner))) return;
    throw new Violation('acknowledged append', `${textOf(owner)} is not at ${base}`);
  }

  /** Somebody was told that this producer is fenced. */
  fenced({ id, incarnation }: ProducerName): void {
    this.#fenced.set(id, Math.max(incarnation, this.#fenced.get(id) ?? 0));
  }

  /** In the end every record that is not trimmed is on every node. */
  finish(log: ShardLog): void {
    for (let offset = log.oldest; offset < this.#owners.length; offset += 1) {
      const owner = log.ownerOf(offset);
      const expected = this.#owners[offset] as RecordOwner;
      if (owner !== undefined && isSame(owner, expected)) continue;
      throw new Violation('acknowledged append', `${textOf(expected)} at ${offset} is gone`);
    }
  }

  #wrote(owner: RecordOwner): void {
    const { producer, incarnation, sequence } = owner;
    const name = `${producer}/${incarnation}`;
    const before = this.#written.get(name) ?? 0;
    if (sequence !== before + 1) {
      const what = sequence <= before ? 'written twice' : 'written before its predecessor';
      throw new Violation('shard order', `${textOf(owner)} is ${what}`);
    }
    if (incarnation <= (this.#fenced.get(producer) ?? 0)) {
      throw new Violation('shard fence', `${textOf(owner)} is written, and fenced`);
    }
    this.#written.set(name, sequence);
  }
}

function isSame(first: RecordOwner, second: RecordOwner): boolean {
  return (
    first.producer === second.producer &&
    first.incarnation === second.incarnation &&
    first.sequence === second.sequence
  );
}

function textOf({ producer, incarnation, sequence }: RecordOwner): string {
  return `append ${sequence} of producer ${producer}, incarnation ${incarnation},`;
}
