import type { Clock, Timers } from '@robustmq/environment';
import { FieldWriter, FrameReader } from '@robustmq/node-link';
import { preferredNodes } from '@robustmq/placement-registry';
import { waitMs } from '../broker-environment.ts';
import { decodeTexts, encodeQuestion, type Holder } from './link-questions.ts';
import type { Peers } from './peers.ts';

/** What asking for a client identifier comes to. */
export type GrantOutcome =
  | 'granted'
  /** Another user has it. */
  | 'otherUser'
  /** The registrar did not answer: who else serves the client is not known. */
  | 'unknown';

/** What the registrar needs of its broker. */
export interface RegistrarHost {
  /** This broker gives the client up: settles when nothing of it is left here. */
  giveUp(clientId: string): Promise<void>;
}

interface Entry extends Holder {
  readonly node: number;
}

/** Between two attempts to ask a registrar that is not reached. */
const RETRY_MS = 50;
/** How long a connect waits for a registrar that refuses connections. */
const LINK_WAIT_MS = 500;
/** Client identifiers that are looked at in one turn when brokers come or go. */
const CHECKED_PER_TURN = 1_000;

/**
 * Who serves which client, kept in the memory of the brokers: each client identifier has one broker that
 * registers it, chosen by rendezvous hashing over those that are alive. It serializes those who want the
 * same client, and tells the one before to give it up.
 *
 *     CONNECT ─▶ grant? ─▶ registrar ─▶ yield ─▶ broker that had it ─▶ settled ─▶ granted
 *
 * For sessions that end with their connection this is all there is: a connect costs no write anywhere.
 * When brokers come or go, a registrar may not know what another one granted; whoever serves a client
 * tells the new registrar, and of two the one that was granted anew stays. A durable session is safe
 * from that moment too: its epoch in the placement center decides.
 */
export class ClientRegistrar {
  readonly #peers: Peers;
  readonly #host: RegistrarHost;
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #waitMs: number;
  /** Clients that this broker registers. */
  readonly #entries = new Map<string, Entry>();
  /** Grants under way here, one behind the other for each client. */
  readonly #queues = new Map<string, Promise<unknown>>();
  /** Clients that this broker serves, and who registered them. */
  readonly #held = new Map<string, { readonly holder: Holder; registrar: number }>();

  constructor(parts: {
    readonly peers: Peers;
    readonly host: RegistrarHost;
    readonly timers: Timers;
    readonly clock: Clock;
    /** For the whole of a grant. */
    readonly waitMs: number;
  }) {
    this.#peers = parts.peers;
    this.#host = parts.host;
    this.#timers = parts.timers;
    this.#clock = parts.clock;
    this.#waitMs = parts.waitMs;
  }

  /** Of clients that this broker registers. */
  get entryCount(): number {
    return this.#entries.size;
  }

  /**
   * Asks whoever registers the client, and asks again while that one is not reached: it may just be
   * connecting, or another one may take its place. Never rejects.
   */
  async grant(holder: Holder): Promise<GrantOutcome> {
    const beganMs = this.#clock.monotonicMs();
    for (;;) {
      const registrar = this.#registrarOf(holder.clientId);
      const isUp = registrar === this.#peers.self || this.#peers.linkTo(registrar).isUp;
      const limitMs = isUp ? 2 * this.#waitMs : Math.min(this.#waitMs, LINK_WAIT_MS);
      const leftMs = beganMs + limitMs - this.#clock.monotonicMs();
      const outcome = leftMs <= 0 ? 'unknown' : await this.#ask(holder, registrar, leftMs);
      if (outcome === 'granted') this.#held.set(holder.clientId, { holder, registrar });
      if (outcome === 'granted' || outcome === 'otherUser') return outcome;
      if (leftMs <= 0) {
        // Served all the same; the registrar is told as soon as it can be reached.
        this.#held.set(holder.clientId, { holder, registrar });
        void this.#assert(registrar, [holder]);
        return 'unknown';
      }
      await waitMs(this.#timers, Math.min(RETRY_MS, leftMs));
    }
  }

  async #ask(holder: Holder, registrar: number, deadlineMs: number): Promise<GrantOutcome> {
    if (registrar === this.#peers.self) return this.register(holder, registrar);
    try {
      const question = encodeQuestion({ kind: 'grant', holder });
      return outcomeOf(await this.#peers.linkTo(registrar).ask(question, deadlineMs));
    } catch {
      return 'unknown';
    }
  }

  /** This broker serves the client no more. */
  release(clientId: string): void {
    const held = this.#held.get(clientId);
    if (held === undefined) return;
    this.#held.delete(clientId);
    if (held.registrar === this.#peers.self) this.released(clientId, held.registrar);
    else {
      const question = encodeQuestion({ kind: 'release', clientId });
      // What is lost with the connection ends with the node, or is asked for by the next grant.
      this.#peers
        .linkTo(held.registrar)
        .ask(question, this.#waitMs)
        .catch(() => {});
    }
  }

  /** Another broker got the client from the registrar: it knows. */
  lost(clientId: string): void {
    this.#held.delete(clientId);
  }

  /** The registrar's side of `grant`. Never rejects. */
  register(holder: Holder, node: number): Promise<GrantOutcome> {
    const { clientId } = holder;
    const before = this.#queues.get(clientId) ?? Promise.resolve();
    const mine = before.then(() => this.#registerNow(holder, node));
    this.#queues.set(clientId, mine);
    void mine.then(() => {
      if (this.#queues.get(clientId) === mine) this.#queues.delete(clientId);
    });
    return mine;
  }

  /** The registrar's side of `release`. */
  released(clientId: string, node: number): void {
    if (this.#entries.get(clientId)?.node === node) this.#entries.delete(clientId);
  }

  /** The registrar's side of `assert`. @returns clients that another broker has been granted */
  asserted(holders: readonly Holder[], node: number): readonly string[] {
    const conflicts: string[] = [];
    for (const holder of holders) {
      const { clientId } = holder;
      const entry = this.#entries.get(clientId);
      if (entry === undefined && !this.#queues.has(clientId)) {
        this.#entries.set(clientId, { ...holder, node });
      } else if (entry?.node !== node) conflicts.push(clientId);
    }
    return conflicts;
  }

  /** Brokers came or went. */
  peersChanged(): void {
    const { alive } = this.#peers;
    for (const [clientId, { node }] of this.#entries) {
      if (!alive.has(node)) this.#entries.delete(clientId);
    }
    void this.#moveAll([...this.#held.keys()]);
  }

  async #registerNow(holder: Holder, node: number): Promise<GrantOutcome> {
    const { clientId } = holder;
    const entry = this.#entries.get(clientId);
    if (entry !== undefined && entry.node !== node) {
      if (entry.username !== holder.username) return 'otherUser';
      await this.#askToYield(clientId, entry.node);
    }
    this.#entries.set(clientId, { ...holder, node });
    return 'granted';
  }

  async #askToYield(clientId: string, node: number): Promise<void> {
    if (node === this.#peers.self) {
      await this.#host.giveUp(clientId).catch(() => {});
      this.lost(clientId);
      return;
    }
    const question = encodeQuestion({ kind: 'yield', clientId });
    try {
      await this.#peers.linkTo(node).ask(question, this.#waitMs);
    } catch {
      // It is gone or cut off. What it has of a durable session is fenced before that is used.
    }
  }

  #registrarOf(clientId: string): number {
    const [node] = preferredNodes(clientId, [...this.#peers.alive.keys()], 1);
    return node ?? this.#peers.self;
  }

  /** Tells new registrars what they have to know. */
  async #moveAll(clientIds: readonly string[]): Promise<void> {
    for (let first = 0; first < clientIds.length; first += CHECKED_PER_TURN) {
      const moved = new Map<number, Holder[]>();
      for (const clientId of clientIds.slice(first, first + CHECKED_PER_TURN)) {
        const held = this.#held.get(clientId);
        const registrar = this.#registrarOf(clientId);
        if (held === undefined || held.registrar === registrar) continue;
        held.registrar = registrar;
        const batch = moved.get(registrar);
        if (batch === undefined) moved.set(registrar, [held.holder]);
        else batch.push(held.holder);
      }
      for (const [registrar, holders] of moved) void this.#assert(registrar, holders);
      await new Promise<void>((resolve) => this.#timers.soon(resolve));
    }
  }

  async #assert(registrar: number, holders: readonly Holder[]): Promise<void> {
    const conflicts = await this.#conflictsOf(registrar, holders);
    await Promise.all(conflicts.map((clientId) => this.#host.giveUp(clientId).catch(() => {})));
  }

  /** @returns none when the registrar is not reached: then it is not one for long */
  async #conflictsOf(registrar: number, holders: readonly Holder[]): Promise<readonly string[]> {
    if (registrar === this.#peers.self) return this.asserted(holders, registrar);
    const question = encodeQuestion({ kind: 'assert', holders });
    for (let attempt = 0; attempt < 20; attempt += 1) {
      if (!this.#peers.alive.has(registrar)) return [];
      try {
        return decodeTexts(await this.#peers.linkTo(registrar).ask(question, this.#waitMs));
      } catch {
        await waitMs(this.#timers, 100);
      }
    }
    return [];
  }
}

export function encodeOutcome(outcome: GrantOutcome): Uint8Array {
  return new FieldWriter().u8(outcome === 'granted' ? 1 : 0).finish();
}

function outcomeOf(answer: Uint8Array): GrantOutcome {
  return new FrameReader(answer).u8() === 1 ? 'granted' : 'otherUser';
}
