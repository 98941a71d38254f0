/** A client: one operation at a time, sent again under the same request id until it is answered. */
import { Caller } from './caller.ts';
import { commandFor, resultFor } from './client-command.ts';
import type { Operation, RecordedOperation, Value } from './history.ts';
import type { Reply } from './requests.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** Numbers invocations and returns in the order in which they happen. */
export interface HistoryClock {
  now: number;
}

export class SimulatedClient {
  readonly #world: World;
  readonly #clock: HistoryClock;
  readonly #caller: Caller;
  readonly id: number;
  readonly history: RecordedOperation[] = [];
  /** Some clients read almost only: they notice a stale answer where writers would be stuck. */
  readonly #readShare: number;
  #sequence = 0;
  #open: { readonly operation: Operation; readonly invokedAt: number } | null = null;
  /** The latest value seen per key, to make compare-and-set succeed now and then. */
  readonly #known = new Map<string, Value>();
  #stopped = false;

  constructor(world: World, id: number, clock: HistoryClock) {
    this.#world = world;
    this.id = id;
    this.#clock = clock;
    this.#caller = new Caller(world);
    this.#readShare = id % 2 === 0 ? 0.95 : 0.3;
  }

  get isIdle(): boolean {
    return this.#open === null;
  }

  start(): void {
    const { queue, random, profile } = this.#world;
    queue.after(random.below(profile.thinkMs * 2), () => this.#begin());
  }

  /** Begins no other operation. */
  stop(): void {
    this.#stopped = true;
  }

  /** Everything that happened, with what is still open as an unknown outcome. */
  recorded(): readonly RecordedOperation[] {
    if (this.#open === null) return this.history;
    const { operation, invokedAt } = this.#open;
    const open = { client: this.id, operation, invokedAt, returnedAt: null, result: 0 };
    return [...this.history, open];
  }

  #begin(): void {
    if (this.#stopped) return;
    this.#sequence += 1;
    this.#clock.now += 1;
    const operation = this.#drawOperation();
    const open = { operation, invokedAt: this.#clock.now };
    this.#open = open;
    if (operation.kind === 'get') {
      const request = { kind: 'read', key: String(operation.key) } as const;
      this.#caller.call(request, (reply) => this.#finish(open, valueIn(reply)));
      return;
    }
    const command = commandFor(operation, `${this.id}-${this.#sequence}`);
    this.#caller.call({ kind: 'propose', command }, (reply) => {
      if (reply.kind !== 'outcome')
        throw new Violation('assertion', `a write ended: ${reply.kind}`);
      this.#finish(open, resultFor(operation, reply.outcome));
    });
  }

  #drawOperation(): Operation {
    const { random, profile } = this.#world;
    const key = `k${random.below(profile.keys)}`;
    const value = this.id * 1_000_000 + this.#sequence;
    const draw = random.fraction();
    if (draw < this.#readShare) return { kind: 'get', key };
    if (random.chance(0.5)) return { kind: 'put', key, value };
    if (random.chance(0.2)) return { kind: 'delete', key };
    return { kind: 'compareAndSet', key, expected: this.#known.get(key) ?? 0, value };
  }

  #finish(
    { operation, invokedAt }: { operation: Operation; invokedAt: number },
    result: Value,
  ): void {
    this.#clock.now += 1;
    const returnedAt = this.#clock.now;
    this.history.push({ client: this.id, operation, invokedAt, returnedAt, result });
    this.#open = null;
    const key = String(operation.key);
    if (operation.kind === 'get') this.#known.set(key, result);
    if (operation.kind === 'put') this.#known.set(key, operation.value);
    const { queue, random, profile } = this.#world;
    queue.after(random.below(profile.thinkMs * 2), () => this.#begin());
  }
}

function valueIn(reply: Exclude<Reply, { readonly kind: 'retry' }>): Value {
  if (reply.kind !== 'value') throw new Violation('assertion', `a read ended: ${reply.kind}`);
  return reply.value;
}
