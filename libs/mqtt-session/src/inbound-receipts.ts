/**
 * Packet identifiers of QoS 2 messages that this client has sent and not yet released: a repeated
 * PUBLISH with one of them is acknowledged, not delivered again (MQTT-5.0 §4.3.3, method A).
 *
 * LIMIT: receiveMaximum
 */
export class InboundReceipts {
  readonly #identifiers = new Set<number>();

  get count(): number {
    return this.#identifiers.size;
  }

  has(identifier: number): boolean {
    return this.#identifiers.has(identifier);
  }

  add(identifier: number): void {
    this.#identifiers.add(identifier);
  }

  /** @returns false when it was not there: PUBCOMP carries 0x92 */
  release(identifier: number): boolean {
    return this.#identifiers.delete(identifier);
  }

  identifiers(): readonly number[] {
    return [...this.#identifiers];
  }
}
