/**
 * A client that watches every key, on one node at a time. When its node dies, or now and then, it goes
 * on elsewhere from the revision after the last one it saw: from the history, then live.
 */
import type { KeyEvent, Revision } from '@robustmq/placement';
import type { SimulatedNode } from './node.ts';
import type { World } from './world.ts';

export class SimulatedWatcher {
  readonly #world: World;
  readonly #id: number;
  /** Every change up to this revision was seen. */
  #through = 0 as Revision;
  #node: SimulatedNode | null = null;

  constructor(world: World, id: number) {
    this.#world = world;
    this.#id = id;
  }

  get through(): Revision {
    return this.#through;
  }

  start(): void {
    this.#attach();
    this.#moveLater();
  }

  /** The node applied the changes of one revision. */
  applied(node: SimulatedNode, revision: Revision, events: readonly KeyEvent[]): void {
    if (node === this.#node && revision > this.#through) this.#see(revision, events);
  }

  /** The node's content was replaced as a whole. */
  installed(node: SimulatedNode): void {
    if (node === this.#node) this.#catchUp(node);
  }

  crashed(node: SimulatedNode): void {
    if (node !== this.#node) return;
    this.#node = null;
    this.#world.queue.after(this.#world.random.between(10, 3_000), () => this.#attach());
  }

  /** Goes to `node` for good: what it has not seen there it will not see. */
  finish(node: SimulatedNode): void {
    this.#node = node;
    this.#catchUp(node);
  }

  #moveLater(): void {
    const { queue, random, healed } = this.#world;
    if (healed) return;
    queue.after(random.between(500, 8_000), () => {
      this.#attach();
      this.#moveLater();
    });
  }

  #attach(): void {
    const { nodes, random, tally } = this.#world;
    const running = [...nodes.values()].filter((node) => node.isRunning && !node.isPaused);
    if (running.length === 0) {
      this.#world.queue.after(200, () => this.#attach());
      return;
    }
    this.#node = random.pick(running);
    tally.add('watch moved');
    this.#catchUp(this.#node);
  }

  #catchUp(node: SimulatedNode): void {
    const { machine } = node;
    const { bugs, tally } = this.#world;
    if (machine.revision <= this.#through) return;
    const first = (this.#through + (bugs.watchesResumeLate ? 2 : 1)) as Revision;
    const changes = machine.changesFrom(first);
    if (changes === null) {
      // It fell behind what is kept: a real client reads the keys again and watches on.
      tally.add('watch resynchronised');
      this.#through = machine.revision;
      return;
    }
    for (const { revision, events } of changes) this.#see(revision, events);
  }

  #see(revision: Revision, events: readonly KeyEvent[]): void {
    this.#world.checkers.changes.watched(this.#id, this.#through, revision, events);
    this.#through = revision;
  }
}
