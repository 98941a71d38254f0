/** A client: one operation at a time, sent again under the same number until it is answered. */
import type { NodeId } from '@robustmq/raft';
import type { Operation, Value } from './command.ts';
import type { RecordedOperation } from './history.ts';
import type { Reply } from './requests.ts';
import type { World } from './world.ts';

interface OpenOperation {
  readonly sequence: number;
  readonly operation: Operation;
  readonly invokedAt: number;
}

/** Numbers invocations and returns in the order in which they happen. */
export interface HistoryClock {
  now: number;
}

export class SimulatedClient {
  readonly #world: World;
  readonly #clock: HistoryClock;
  readonly id: number;
  readonly history: RecordedOperation[] = [];
  /** Some clients read almost only: they notice a stale answer where writers would be stuck. */
  readonly #readShare: number;
  #sequence = 0;
  #open: OpenOperation | null = null;
  #target: NodeId | null = null;
  /** The latest value seen per key, to make compare-and-set succeed now and then. */
  readonly #known = new Map<number, Value>();
  #attempt = 0;
  #stopped = false;

  constructor(world: World, id: number, clock: HistoryClock) {
    this.#world = world;
    this.id = id;
    this.#clock = clock;
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
    this.#open = { sequence: this.#sequence, operation, invokedAt: this.#clock.now };
    this.#send(this.#open);
  }

  #drawOperation(): Operation {
    const { random, profile } = this.#world;
    const key = random.below(profile.keys);
    const value = this.id * 1_000_000 + this.#sequence;
    const draw = random.fraction();
    if (draw < this.#readShare) return { kind: 'get', key };
    if (random.chance(0.6)) return { kind: 'put', key, value };
    return { kind: 'compareAndSet', key, expected: this.#known.get(key) ?? 0, value };
  }

  #send(open: OpenOperation): void {
    if (this.#open !== open) return;
    const { queue, random, network, nodes, profile } = this.#world;
    const running = [...nodes.values()].filter((node) => node.isRunning);
    // Some ask anywhere, so that deposed leaders and followers hear of clients, too.
    const isLost = this.#target === null || random.chance(0.3);
    const asked = isLost ? undefined : nodes.get(this.#target ?? running[0]?.id ?? (0 as NodeId));
    const node = asked ?? (running.length > 0 ? random.pick(running) : undefined);
    this.#attempt += 1;
    const attempt = this.#attempt;
    queue.after(random.between(200, 1_500), () => {
      if (this.#attempt !== attempt) return;
      this.#target = null;
      this.#send(open);
    });
    if (node === undefined || random.chance(profile.network.loss)) return;
    const { sequence, operation } = open;
    const command = { client: this.id, sequence, operation };
    queue.after(network.delayMs(), () =>
      node.whenAwake(() => {
        node.requests.receive(command, (reply) => this.#onReply(open, node.id, reply));
      }),
    );
  }

  #onReply(open: OpenOperation, from: NodeId, reply: Reply): void {
    const { queue, random, network, profile } = this.#world;
    if (random.chance(profile.network.loss)) return;
    queue.after(network.delayMs(), () => {
      if (this.#open !== open) return;
      if (reply.kind === 'done') return this.#finish(open, from, reply.result);
      this.#target = reply.leader === from ? null : reply.leader;
      const attempt = this.#attempt;
      queue.after(random.between(50, 150), () => {
        if (this.#attempt === attempt) this.#send(open);
      });
    });
  }

  #finish(open: OpenOperation, from: NodeId, result: Value): void {
    const { operation, invokedAt } = open;
    this.#clock.now += 1;
    this.history.push({
      client: this.id,
      operation,
      invokedAt,
      returnedAt: this.#clock.now,
      result,
    });
    this.#open = null;
    this.#target = from;
    if (operation.kind === 'get') this.#known.set(operation.key, result);
    if (operation.kind === 'put') this.#known.set(operation.key, operation.value);
    const { queue, random, profile } = this.#world;
    queue.after(random.below(profile.thinkMs * 2), () => this.#begin());
  }
}
