import type { ConnectionHandler } from '@robustmq/transport';

/** Takes no part: for a connection that is closed as soon as it is accepted. */
export const TURNED_AWAY: ConnectionHandler = {
  received: () => {},
  drained: () => {},
  closed: () => {},
};

/**
 * Counts new connections by address and second, so that one address can't keep the broker busy with
 * handshakes. Above the rate a connection is closed before anything is read from it.
 *
 * LIMIT: connectionsPerSecondPerAddressMax
 */
export class ConnectionRate {
  readonly #perSecondMax: number;
  readonly #counts = new Map<string, number>();
  #tick = 0;

  /** @param perSecondMax  0: unlimited */
  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax;
  }

  get isLimited(): boolean {
    return this.#perSecondMax > 0;
  }

  /** @param tick  the broker's second */
  admits(address: string, tick: number): boolean {
    if (this.#perSecondMax === 0) return true;
    if (tick !== this.#tick) {
      this.#tick = tick;
      this.#counts.clear();
    }
    const count = (this.#counts.get(address) ?? 0) + 1;
    this.#counts.set(address, count);
    return count <= this.#perSecondMax;
  }
}
