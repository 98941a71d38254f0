import type {
  AppendOptions,
  JournalReader,
  JournalRecord,
  Offset,
  ProducerName,
  RecordBatch,
  RecordSelector,
  SharedShard,
  ShardTail,
} from '@robustmq/journal';
import type { JournalCall, JournalOutcome } from '@robustmq/rpc';
import type { KnownShard } from './known-shard.ts';
import { RemoteReader } from './remote-reader.ts';
import { RemoteTail } from './remote-tail.ts';
import { callShard, type ClientContext } from './shard-calls.ts';

/** One handle; see `SharedShard` for what each method promises. */
export class RemoteShard implements SharedShard {
  readonly #context: ClientContext;
  readonly #known: KnownShard;

  constructor(context: ClientContext, known: KnownShard) {
    this.#context = context;
    this.#known = known;
  }

  get name(): string {
    return this.#known.name;
  }

  get oldest(): Offset {
    return this.#known.oldest;
  }

  append(batch: RecordBatch, options: AppendOptions): Promise<Offset> {
    return this.#known.pipelineOf(options.producer).append(batch, options);
  }

  async committed(deadlineMs: number): Promise<Offset> {
    const call = { kind: 'committed', life: this.#known.route.life() } as const;
    const { offset, oldest, life } = await this.#call({ call, answer: 'committed' }, deadlineMs);
    this.#known.heardLife(life);
    this.#known.heard(offset, oldest);
    return offset;
  }

  openReader(from: Offset, selector: RecordSelector): JournalReader {
    return new RemoteReader(from, selector, async (request) => {
      const { committedSeen } = this.#known;
      const call = { kind: 'read', ...request, committedSeen } as const;
      const page = await this.#call({ call, answer: 'records' });
      this.#known.heard(page.position, page.oldest);
      return page;
    });
  }

  async readAt(offset: Offset): Promise<JournalRecord | null> {
    const { committedSeen } = this.#known;
    const call = { kind: 'readAt', offset, committedSeen } as const;
    return (await this.#call({ call, answer: 'oneRecord' })).record;
  }

  openTail(from: Offset, selector: RecordSelector): ShardTail {
    const { route, name } = this.#known;
    const tail: RemoteTail = new RemoteTail(
      this.#context,
      { from, selector },
      {
        route,
        name,
        heard: (committed, oldest) => this.#known.heard(committed, oldest),
        ended: () => this.#known.tails.delete(tail),
      },
    );
    this.#known.tails.add(tail);
    if (this.#context.closing.aborted) tail.close();
    return tail;
  }

  async offsetAt(atMs: number): Promise<Offset> {
    const asked = { call: { kind: 'offsetAt', atMs }, answer: 'committed' } as const;
    return (await this.#call(asked)).offset;
  }

  async trimBefore(offset: Offset): Promise<void> {
    const asked = { call: { kind: 'trim', before: offset }, answer: 'committed' } as const;
    const trimmed = await this.#call(asked);
    this.#known.heard(trimmed.offset, trimmed.oldest);
  }

  async fence(producer: ProducerName): Promise<void> {
    await this.#call({ call: { kind: 'fence', producer }, answer: 'done' });
  }

  #call<Kind extends JournalOutcome['kind']>(
    asked: { readonly call: JournalCall; readonly answer: Kind },
    deadlineMs: number = this.#context.limits.callDeadlineMs,
  ): Promise<Extract<JournalOutcome, { readonly kind: Kind }>> {
    const { route, name } = this.#known;
    return callShard(this.#context, asked, { route, name, deadlineMs });
  }
}
