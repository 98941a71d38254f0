/** How a client asks the group: one request at a time, sent again until it is answered. */
import type { NodeId } from '@robustmq/raft';
import type { SimulatedNode } from './node.ts';
import type { Reply, Request } from './requests.ts';
import type { World } from './world.ts';

type Final = Exclude<Reply, { readonly kind: 'retry' }>;

interface Call {
  readonly request: Request;
  /** @param sentAtMs  when the copy that was answered left the client */
  readonly done: (reply: Final, sentAtMs: number) => void;
  copies: number;
}

export class Caller {
  readonly #world: World;
  #open: Call | null = null;
  #target: NodeId | null = null;
  #attempt = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get isIdle(): boolean {
    return this.#open === null;
  }

  /** Only while idle. */
  call(request: Request, done: Call['done']): void {
    this.#open = { request, done, copies: 0 };
    this.#send(this.#open);
  }

  /** Nobody waits for the answer any more; the request may still be carried out. */
  giveUp(): void {
    this.#open = null;
  }

  #send(call: Call): void {
    if (this.#open !== call) return;
    const { queue, random, network, profile, tally } = this.#world;
    const node = this.#draw();
    this.#attempt += 1;
    const attempt = this.#attempt;
    queue.after(random.between(200, 1_500), () => {
      if (this.#attempt !== attempt) return;
      this.#target = null;
      this.#send(call);
    });
    call.copies += 1;
    if (call.copies > 1) tally.add('request repeated');
    if (node === undefined || random.chance(profile.network.loss)) return;
    const sentAtMs = queue.nowMs;
    queue.after(network.delayMs(), () =>
      node.whenAwake(() => {
        node.requests.receive(call.request, (reply) =>
          this.#onReply(call, node.id, reply, sentAtMs),
        );
      }),
    );
  }

  /** Some ask anywhere, so that deposed leaders and followers hear of clients, too. */
  #draw(): SimulatedNode | undefined {
    const { random, nodes } = this.#world;
    const known = this.#target === null ? undefined : nodes.get(this.#target);
    if (known !== undefined && !random.chance(0.3)) return known;
    const running = [...nodes.values()].filter((node) => node.isRunning);
    return running.length > 0 ? random.pick(running) : undefined;
  }

  #onReply(call: Call, from: NodeId, reply: Reply, sentAtMs: number): void {
    const { queue, random, network, profile } = this.#world;
    if (random.chance(profile.network.loss)) return;
    queue.after(network.delayMs(), () => {
      if (this.#open !== call) return;
      if (reply.kind !== 'retry') return this.#finish(call, from, reply, sentAtMs);
      this.#target = reply.leader === from ? null : reply.leader;
      const attempt = this.#attempt;
      queue.after(random.between(50, 150), () => {
        if (this.#attempt === attempt) this.#send(call);
      });
    });
  }

  #finish(call: Call, from: NodeId, reply: Final, sentAtMs: number): void {
    this.#open = null;
    this.#attempt += 1;
    this.#target = from;
    call.done(reply, sentAtMs);
  }
}
