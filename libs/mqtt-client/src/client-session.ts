import type { Acknowledgement, Publish } from '@robustmq/mqtt-codec';
import { NO_PROPERTIES, ReasonCode } from '@robustmq/mqtt-codec';

const PACKET_IDENTIFIER_MAX = 65_535;

/** An outbound QoS 1 or 2 exchange: what is repeated when the session is resumed (MQTT-5.0 §4.4). */
export type OutboundExchange =
  | { readonly stage: 'published'; readonly publish: Publish }
  /** PUBREC was received: PUBREL is repeated, PUBLISH never again (MQTT-5.0 [MQTT-4.3.3-7]). */
  | { readonly stage: 'released' };

/**
 * The client's part of the session state (MQTT-5.0 §4.1): outlives the connection when it is given
 * to the next one. Holds nothing that belongs to one connection.
 */
export class ClientSession {
  /** In the order of sending, which is the order of repeating (MQTT-5.0 [MQTT-4.6.0-1]). */
  readonly outbound: Map<number, OutboundExchange> = new Map();
  /** Inbound QoS 2 messages that were taken and not released yet. */
  readonly receivedQos2: Set<number> = new Set();
  readonly #busy = new Set<number>();
  #last = 0;

  /** An unused packet identifier; null when all 65 535 are in use. */
  takeIdentifier(): number | null {
    for (let tries = 0; tries < PACKET_IDENTIFIER_MAX; tries++) {
      this.#last = (this.#last % PACKET_IDENTIFIER_MAX) + 1;
      if (this.#busy.has(this.#last) || this.outbound.has(this.#last)) continue;
      this.#busy.add(this.#last);
      return this.#last;
    }
    return null;
  }

  releaseIdentifier(identifier: number): void {
    this.#busy.delete(identifier);
  }

  /** Forgets everything: the server has no session (MQTT-5.0 [MQTT-3.2.2-5]). */
  clear(): void {
    this.outbound.clear();
    this.receivedQos2.clear();
    this.#busy.clear();
  }

  /** What to send first on a resumed session, in order (MQTT-5.0 [MQTT-4.4.0-1]). */
  *repeats(): Iterable<Publish | Acknowledgement> {
    for (const [packetIdentifier, exchange] of this.outbound) {
      if (exchange.stage === 'published') yield { ...exchange.publish, dup: true };
      else yield acknowledgementOf('pubrel', packetIdentifier);
    }
  }
}

/** An acknowledgement that says success. */
export function acknowledgementOf(
  kind: Acknowledgement['kind'],
  packetIdentifier: number,
): Acknowledgement {
  return { kind, packetIdentifier, reasonCode: ReasonCode.success, properties: NO_PROPERTIES };
}
