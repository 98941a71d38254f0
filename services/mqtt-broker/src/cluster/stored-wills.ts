import type { CallOptions } from '@robustmq/placement';
import type {
  DueWill,
  NodeLife,
  OwnedSession,
  Registration,
  WillTaker,
} from '@robustmq/placement-registry';
import { RegistryError } from '@robustmq/placement-registry';
import { Backoff } from '@robustmq/rpc';
import { waitMs } from '../broker-environment.ts';
import { decodeWill, encodeWill } from '../session/wills.ts';
import type { WillMessage } from '../session/will-message.ts';
import type { ClusterEdges } from './cluster-edges.ts';
import { DeadLives } from './dead-lives.ts';

const RETRY = { firstMs: 50, longestMs: 2_000 };
/** When it is not known whether this broker has taken a will, it looks after so long. */
const LOOK_MS = 2_000;
const PAGE = 100;

/**
 * Wills in the placement center. One that is taken is *due* there, under the taker's name, until it is
 * published; when the taker dies before, the elected broker takes it from there.
 *
 *     will of a session ─▶ due (taker) ─▶ published ─▶ gone
 *                           ▲    │ taker dead: its appends are fenced
 *                           └────┘ published once more, unless its shard has it
 *
 * So a will is published at least once, and reaches a durable session once. A client without one hears it
 * twice if the taker dies between handing it out and committing it, or noting that it is done.
 */
export class StoredWills {
  readonly #edges: ClusterEdges;
  readonly #registrationOf: () => Registration | null;
  readonly #deadLives: DeadLives;
  /** Of this broker: being published. */
  readonly #inHand = new Set<string>();
  /** By client identifier: calls that may have taken a will. */
  readonly #taking = new Map<string, number>();
  #look: { cancel(): void } | null = null;
  #stopped = false;

  constructor(edges: ClusterEdges, registrationOf: () => Registration | null) {
    this.#edges = edges;
    this.#registrationOf = registrationOf;
    const { durable, settings } = edges;
    this.#deadLives = new DeadLives((life) => durable.fence(life, settings.stateDeadlineMs));
  }

  /** @throws REGISTRY_FENCED */
  async save(owner: OwnedSession, will: WillMessage): Promise<void> {
    const { clientId, epoch } = owner;
    const stored = { clientId, epoch, message: encodeWill(will) };
    await this.#edges.registries.wills.save(stored, this.#call);
  }

  /**
   * Of a session whose client comes back: a will that was due is published, one whose delay had not passed
   * is not, unless the session ends (MQTT-5.0 [MQTT-3.1.3-9]).
   *
   * @throws REGISTRY_FENCED  the session is not at this epoch any more
   */
  async publishDue(owner: OwnedSession, isOver: boolean): Promise<void> {
    const { context, registries } = this.#edges;
    const stored = await registries.wills.read(owner.clientId, this.#call);
    if (stored === null) return;
    const { delaySeconds } = decodeWill(context, stored.message);
    if (delaySeconds > 0 && !isOver) return;
    const due = await this.take(owner);
    if (due !== null) this.publish(due);
  }

  /**
   * Takes the will for this broker to publish; null: there is none.
   *
   * @throws REGISTRY_FENCED  the session is not at this epoch any more
   */
  async take(owner: OwnedSession): Promise<DueWill | null> {
    const { context, registries, durable } = this.#edges;
    const { clientId } = owner;
    this.#taking.set(clientId, (this.#taking.get(clientId) ?? 0) + 1);
    try {
      const placeOf = (message: Uint8Array): number | null =>
        durable.placeOf(decodeWill(context, message).message.topic.name);
      const by = { taker: this.#self(), placeOf };
      return await registries.wills.takeOwned(owner, by, this.#call);
    } catch (error) {
      // It may be taken all the same, and then nobody else publishes it.
      if (!(error instanceof RegistryError)) this.#lookLater();
      throw error;
    } finally {
      const left = (this.#taking.get(clientId) ?? 1) - 1;
      if (left > 0) this.#taking.set(clientId, left);
      else this.#taking.delete(clientId);
    }
  }

  /** @throws REGISTRY_FENCED */
  discard(owner: OwnedSession): Promise<void> {
    return this.#edges.registries.wills.discard(owner, this.#call);
  }

  publish(due: DueWill): void {
    void this.#publishUntilDone(due, 'first');
  }

  /** Of the elected broker, now and then: publishes what dead brokers had taken, and never rejects. */
  async adopt(): Promise<void> {
    try {
      await this.#goThrough(true);
    } catch (error) {
      this.#edges.failed('looking for wills that are due', error);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#look?.cancel();
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#look ??= this.#edges.timers.after(LOOK_MS, () => {
      this.#look = null;
      this.#goThrough(false).catch((error: unknown) => {
        this.#edges.failed('looking for wills that are due', error);
        this.#lookLater();
      });
    });
  }

  async #goThrough(adopts: boolean): Promise<void> {
    const { wills, nodes } = this.#edges.registries;
    let after: string | null = null;
    do {
      const page = await wills.listDue({ after, limit: PAGE }, this.#call);
      if (page.items.length === 0) return;
      const lives = await nodes.listLives('mqtt-broker', this.#call);
      for (const { value: due } of page.items) {
        if (this.#isOurs(due)) {
          if (!this.#taking.has(due.clientId)) void this.#publishUntilDone(due, 'again');
        } else if (adopts && !isAlive(due, lives)) {
          await this.#deadLives.settle(lives);
          const mine = await wills.retake(due, this.#self(), this.#call);
          if (mine !== null) void this.#publishUntilDone(mine, 'again');
        }
      }
      after = page.next;
    } while (after !== null);
  }

  /** Never rejects: tried until it is done or this life is over; then another broker does it. */
  async #publishUntilDone(due: DueWill, time: 'first' | 'again'): Promise<void> {
    const { timers, random, registries } = this.#edges;
    // Of this life: what an earlier one left is left for good.
    const name = `${due.incarnation} ${nameOf(due)}`;
    if (this.#inHand.has(name)) return;
    this.#inHand.add(name);
    const backoff = new Backoff(RETRY, random);
    let mayBeDone = time === 'again';
    let isPublished = false;
    while (!this.#stopped && this.#isOurs(due)) {
      try {
        isPublished ||= await this.#publishOnce(due, mayBeDone);
        mayBeDone = true;
        if (isPublished) {
          await registries.wills.published(due, this.#call);
          break;
        }
      } catch (error) {
        this.#edges.failed('publishing a will', error);
      }
      await waitMs(timers, backoff.nextMs());
    }
    this.#inHand.delete(name);
  }

  /** @returns false: it was refused, and nobody has it */
  async #publishOnce(due: DueWill, mayBeDone: boolean): Promise<boolean> {
    const { context, durable, settings } = this.#edges;
    const will = decodeWill(context, due.message);
    const { name: topic } = will.message.topic;
    const publication = { name: nameOf(due), topic, from: due.from };
    if (mayBeDone && (await durable.isPublished(publication, settings.stateDeadlineMs)))
      return true;
    return durable.publishAs(publication.name, () =>
      context.wills.publishStored(due.clientId, will),
    );
  }

  #isOurs({ nodeId, incarnation }: WillTaker): boolean {
    const node = this.#registrationOf()?.node;
    return node?.nodeId === nodeId && node.incarnation === incarnation;
  }

  #self(): WillTaker {
    const node = this.#registrationOf()?.node;
    if (node === undefined)
      throw new Error('this broker has no place in its cluster at the moment');
    return { nodeId: node.nodeId, incarnation: node.incarnation };
  }

  get #call(): CallOptions {
    return { deadlineMs: this.#edges.settings.callDeadlineMs, signal: null };
  }
}

/** Unlike any other will, ever: an epoch is one connection's. */
function nameOf({ clientId, epoch }: DueWill): string {
  return `will ${epoch} ${clientId}`;
}

function isAlive({ nodeId, incarnation }: WillTaker, lives: readonly NodeLife[]): boolean {
  return lives.some((life) => life.nodeId === nodeId && life.record?.incarnation === incarnation);
}
