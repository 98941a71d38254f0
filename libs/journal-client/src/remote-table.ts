import {
  JournalError,
  type KeyedRecord,
  type KeyedShard,
  type KeyedTail,
  type KeyedWrite,
} from '@robustmq/journal';
import type { JournalCall, JournalOutcome } from '@robustmq/rpc';
import type { KnownShard } from './known-shard.ts';
import { RemoteKeyedTail } from './remote-keyed-tail.ts';
import { callShard, type ClientContext } from './shard-calls.ts';

/** One handle; see `KeyedShard` for what each method promises. */
export class RemoteTable implements KeyedShard {
  readonly #context: ClientContext;
  readonly #known: KnownShard;

  constructor(context: ClientContext, known: KnownShard) {
    this.#context = context;
    this.#known = known;
  }

  get name(): string {
    return this.#known.name;
  }

  async write(writes: readonly KeyedWrite[], deadlineMs: number): Promise<readonly boolean[]> {
    const outcome = await this.#known.lane().submit({ kind: 'writeKeys', writes }, deadlineMs);
    if (outcome.kind === 'keysWritten') return outcome.taken;
    throw this.#misanswered(outcome);
  }

  async claim(
    key: string,
    fence: number,
    deadlineMs: number,
  ): Promise<{ readonly taken: boolean; readonly record: KeyedRecord | null }> {
    const outcome = await this.#known.lane().submit({ kind: 'claimKey', key, fence }, deadlineMs);
    if (outcome.kind !== 'keyClaimed') throw this.#misanswered(outcome);
    const { taken, record } = outcome;
    return { taken, record };
  }

  async read(key: string, deadlineMs: number): Promise<KeyedRecord | null> {
    const asked = { call: { kind: 'readKey', key }, answer: 'oneKey' } as const;
    return (await this.#call(asked, deadlineMs)).record;
  }

  async list(
    after: string | null,
    limit: number,
    deadlineMs: number,
  ): Promise<readonly KeyedRecord[]> {
    const untilMs = this.#context.clock.monotonicMs() + deadlineMs;
    const listed: KeyedRecord[] = [];
    for (let from = after; listed.length < limit; ) {
      const call = { kind: 'listKeys', after: from, limit: limit - listed.length } as const;
      const leftMs = Math.max(1, untilMs - this.#context.clock.monotonicMs());
      const { records, more } = await this.#call({ call, answer: 'keys' }, leftMs);
      listed.push(...records);
      const last = records.at(-1);
      if (!more || last === undefined) break;
      from = last.key;
    }
    return listed;
  }

  async revision(deadlineMs: number): Promise<number> {
    const asked = { call: { kind: 'revision' }, answer: 'revision' } as const;
    return (await this.#call(asked, deadlineMs)).revision;
  }

  openTail(after: number): KeyedTail {
    const { route, name, tails } = this.#known;
    const tail: RemoteKeyedTail = new RemoteKeyedTail(this.#context, after, {
      route,
      name,
      ended: () => tails.delete(tail),
    });
    tails.add(tail);
    if (this.#context.closing.aborted) tail.close();
    return tail;
  }

  #misanswered({ kind }: JournalOutcome): JournalError {
    const detail = `the server answered ${kind} to a write`;
    return new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: this.name, detail });
  }

  #call<Kind extends JournalOutcome['kind']>(
    asked: { readonly call: JournalCall; readonly answer: Kind },
    deadlineMs: number,
  ): Promise<Extract<JournalOutcome, { readonly kind: Kind }>> {
    const { route, name } = this.#known;
    return callShard(this.#context, asked, { route, name, deadlineMs });
  }
}
