/**
 * A producer of the shard: one append at a time, sent again until it is answered. Now and then it dies,
 * perhaps with an append under way; its successor fences it, and appends under the next incarnation.
 */
import type { ProducerName } from '@robustmq/journal';
import { Caller } from './caller.ts';
import type { Reply } from './requests.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

const DIES_AFTER_MS = 8_000;
const TRIMS_ONE_IN = 20;

export class SimulatedProducer {
  readonly #world: World;
  readonly #id: number;
  #incarnation = 1;
  #sequence = 0;
  #caller: Caller;
  #stopped = false;
  #lastBase = 0;

  constructor(world: World, id: number) {
    this.#world = world;
    this.#id = id;
    this.#caller = new Caller(world);
  }

  get isIdle(): boolean {
    return this.#caller.isIdle;
  }

  start(): void {
    this.#later(() => this.#append());
    this.#dieLater();
  }

  /** Appends no more. */
  stop(): void {
    this.#stopped = true;
  }

  get #name(): ProducerName {
    return { id: this.#id, incarnation: this.#incarnation };
  }

  #append(): void {
    if (this.#stopped || !this.#caller.isIdle) return;
    this.#sequence += 1;
    const owner = { producer: this.#id, incarnation: this.#incarnation, sequence: this.#sequence };
    const { queue, checkers, random } = this.#world;
    const stampMs = Math.round(queue.nowMs);
    const producer = this.#name;
    const { sequence } = owner;
    this.#caller.call({ kind: 'append', producer, sequence, stampMs }, (reply) => {
      const base = baseIn(reply);
      checkers.shard.acknowledged(owner, base);
      this.#lastBase = base;
      if (random.below(TRIMS_ONE_IN) === 0) this.#later(() => this.#trim());
      else this.#later(() => this.#append());
    });
  }

  /** What is trimmed was acknowledged, and is wanted by nobody any more. */
  #trim(): void {
    if (this.#stopped || !this.#caller.isIdle) return;
    const { queue, random } = this.#world;
    const offset = random.below(this.#lastBase + 1);
    const stampMs = Math.round(queue.nowMs);
    this.#caller.call({ kind: 'trim', offset, stampMs }, () => this.#later(() => this.#append()));
  }

  #dieLater(): void {
    const { queue, random } = this.#world;
    queue.after(random.between(DIES_AFTER_MS / 4, DIES_AFTER_MS * 2), () => {
      if (this.#stopped) return;
      this.#die();
      this.#dieLater();
    });
  }

  #die(): void {
    const { checkers, queue, tally } = this.#world;
    tally.add('producer died');
    const dead = this.#name;
    // What is under way may still arrive: nobody hears the answer.
    this.#caller.giveUp();
    this.#caller = new Caller(this.#world);
    this.#incarnation += 1;
    this.#sequence = 0;
    const stampMs = Math.round(queue.nowMs);
    this.#caller.call({ kind: 'fence', producer: dead, stampMs }, () => {
      checkers.shard.fenced(dead);
      this.#later(() => this.#append());
    });
  }

  #later(run: () => void): void {
    const { queue, random, profile } = this.#world;
    const { incarnation } = this.#name;
    queue.after(random.below(profile.thinkMs * 2), () => {
      if (incarnation === this.#incarnation) run();
    });
  }
}

function baseIn(reply: Exclude<Reply, { readonly kind: 'retry' }>): number {
  if (reply.kind === 'shard') {
    const { outcome } = reply;
    if (outcome.kind === 'appended') return outcome.base;
    if (outcome.kind === 'duplicate' && outcome.base !== null) return outcome.base;
    throw new Violation('acknowledged append', `an append ended: ${outcome.kind}`);
  }
  throw new Violation('assertion', `an append ended: ${reply.kind}`);
}
