import type { Timers, TimerHandle } from '@robustmq/environment';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { decodeNotice, type NodeRecord } from '@robustmq/placement-registry';
import type { BrokerContext } from '../broker-context.ts';

const TICK_MS = 50;

/** What an operator asks for. */
export interface DrainOptions {
  readonly clientsPerSecond: number;
  /** The only broker that clients are sent to; null: all others in turn. */
  readonly toBroker: number | null;
  /** Whether the clients are to come back: `for good` tells them 0x9D, `for now` 0x9C. */
  readonly lasts: 'for now' | 'for good';
}

/** What a client is told that is sent away. */
export interface Redirection {
  readonly reasonCode: number;
  /** MQTT address; empty: it is not known. */
  readonly reference: string;
}

/** How far it is. */
export interface DrainProgress {
  readonly draining: boolean;
  /** Clients that are connected. */
  readonly clients: number;
  /** Sessions that are here, with a client or on their way to the shared store. */
  readonly sessions: number;
  readonly sentAway: number;
}

/** Nobody else takes the clients: the drain is not begun. */
export class NobodyTakesClients extends Error {
  override readonly name = 'NobodyTakesClients';
}

/**
 * Empties a broker: new clients are refused, connected ones are closed, so many a second, and all are told
 * where to go: with 0x9C for the time being, with 0x9D for good (MQTT-5.0 §4.11).
 *
 * It goes on until it is ended, for clients that come nevertheless. While no other broker takes clients
 * nobody is sent away and everybody is let in: that all are drained must not mean that nobody is served.
 */
export class BrokerDrain {
  readonly #context: BrokerContext;
  readonly #timers: Timers;
  readonly #self: number;
  readonly #alive: () => ReadonlyMap<number, NodeRecord>;
  /** Tells the other brokers that `draining` has changed. */
  readonly #announce: () => Promise<void>;
  #options: DrainOptions | null = null;
  #timer: TimerHandle | null = null;
  /** Part of a client that the ticks before have left. */
  #credit = 0;
  #turn = 0;
  #sentAway = 0;

  constructor(parts: {
    readonly context: BrokerContext;
    readonly timers: Timers;
    readonly self: number;
    alive(): ReadonlyMap<number, NodeRecord>;
    announce(): Promise<void>;
  }) {
    this.#context = parts.context;
    this.#timers = parts.timers;
    this.#self = parts.self;
    this.#alive = parts.alive;
    this.#announce = parts.announce;
  }

  get isDraining(): boolean {
    return this.#options !== null;
  }

  get progress(): DrainProgress {
    return {
      draining: this.isDraining,
      clients: this.#context.connectedCount(),
      sessions: this.#context.sessions.count,
      sentAway: this.#sentAway,
    };
  }

  /**
   * Begins, or goes on with other options.
   *
   * @throws NobodyTakesClients; PlacementError or RegistryError when the others cannot be told, and then
   *   all stays as it was
   */
  async begin(options: DrainOptions): Promise<void> {
    const before = this.#options;
    if (this.#targets(options).length === 0) throw new NobodyTakesClients(nobody(options));
    this.#options = options;
    if (before === null) {
      this.#sentAway = 0;
      try {
        await this.#announce();
      } catch (error) {
        this.#options = null;
        throw error;
      }
    }
    this.#timer ??= this.#timers.every(TICK_MS, () => this.#tick());
  }

  /** Clients are let in again. @throws as {@link begin} */
  async end(): Promise<void> {
    const before = this.#options;
    if (before === null) return;
    this.#options = null;
    try {
      await this.#announce();
    } catch (error) {
      this.#options = before;
      throw error;
    }
    this.stop();
  }

  /** Nobody is sent away any more: the broker stops. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** For a new client. @returns null: it is let in */
  redirect(): Redirection | null {
    if (this.#options === null) return null;
    const reference = this.#nextReference(this.#options);
    return reference === null ? null : { reasonCode: reasonCodeOf(this.#options), reference };
  }

  #tick(): void {
    const options = this.#options;
    if (options === null) return;
    this.#credit = Math.min(
      this.#credit + (options.clientsPerSecond * TICK_MS) / 1000,
      Math.max(1, options.clientsPerSecond),
    );
    for (const connection of this.#context.connections) {
      if (this.#credit < 1) break;
      if (connection.phase !== 'connected') continue;
      const reference = this.#nextReference(options);
      if (reference === null) break;
      this.#credit -= 1;
      this.#sentAway += 1;
      connection.close(reasonCodeOf(options), 'the broker is being drained', reference);
    }
  }

  /** null: nobody takes clients. */
  #nextReference(options: DrainOptions): string | null {
    const targets = this.#targets(options);
    if (targets.length === 0) return null;
    this.#turn = (this.#turn + 1) % targets.length;
    return targets[this.#turn] ?? null;
  }

  /** MQTT addresses of those that take clients; empty ones only when nobody tells one of use. */
  #targets({ toBroker }: DrainOptions): readonly string[] {
    const alive = this.#alive();
    const own = decodeNotice(alive.get(this.#self)?.extendInfo ?? '').mqttAddress;
    const elsewhere: string[] = [];
    const unknown: string[] = [];
    for (const [node, { extendInfo }] of alive) {
      if (node === this.#self || (toBroker !== null && node !== toBroker)) continue;
      const { mqttAddress, draining } = decodeNotice(extendInfo);
      if (draining) continue;
      // Another worker behind the same port has the same address, which may lead back here.
      if (mqttAddress === null || mqttAddress === own) unknown.push('');
      else elsewhere.push(mqttAddress);
    }
    return elsewhere.length > 0 ? elsewhere : unknown;
  }
}

function reasonCodeOf({ lasts }: DrainOptions): number {
  return lasts === 'for good' ? ReasonCode.serverMoved : ReasonCode.useAnotherServer;
}

function nobody({ toBroker }: DrainOptions): string {
  return toBroker === null
    ? 'no other broker of the cluster takes clients: start or undrain one'
    : `broker ${toBroker} is not alive, is this one, or is being drained itself`;
}
