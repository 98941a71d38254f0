import type { Acknowledgement, Publish } from '@robustmq/mqtt-codec';
import { reasonCodeName } from '@robustmq/mqtt-codec';
import { Answers } from './answers.ts';
import { MqttClientError } from './client-error.ts';
import type { ConnectionEnd } from './client-error.ts';
import { acknowledgementOf } from './client-session.ts';
import type { ClientSession } from './client-session.ts';
import type { MqttConnection } from './mqtt-connection.ts';

/**
 * QoS 1 and 2 messages on their way to the server (MQTT-5.0 §4.3).
 *
 * At most `receiveMaximum` are under way (MQTT-5.0 [MQTT-3.3.4-9]); the others wait their turn.
 */
export class OutboundPublishes {
  readonly #connection: MqttConnection;
  readonly #session: ClientSession;
  readonly #answers = new Answers<number>();
  readonly #turns: ((outcome: 'go' | ConnectionEnd) => void)[] = [];
  #quota: number;

  constructor(connection: MqttConnection, session: ClientSession, receiveMaximum: number) {
    this.#connection = connection;
    this.#session = session;
    this.#quota = receiveMaximum;
  }

  /** Sends again what the session holds; called once, before anything else is published. */
  repeat(): void {
    for (const packet of this.#session.repeats()) {
      this.#quota--;
      this.#connection.send(packet);
    }
  }

  /**
   * Resolves with the reason code once the exchange is complete.
   *
   * @throws MqttClientError `CLIENT_REFUSED`, `CLIENT_TIMED_OUT`, `CLIENT_CLOSED`
   */
  async publish(message: Omit<Publish, 'packetIdentifier'>, timeoutMs: number): Promise<number> {
    await this.#turn();
    const packetIdentifier = this.#session.takeIdentifier();
    if (packetIdentifier === null) throw new RangeError('all packet identifiers are in use');
    const publish: Publish = { ...message, packetIdentifier };
    this.#session.outbound.set(packetIdentifier, { stage: 'published', publish });
    this.#session.releaseIdentifier(packetIdentifier);
    const answer = this.#answers.expect(packetIdentifier, 'publish', timeoutMs);
    this.#connection.send(publish);
    return answer;
  }

  /** PUBACK, PUBREC or PUBCOMP arrived. */
  received({ kind, packetIdentifier, reasonCode, properties }: Acknowledgement): void {
    const refused = reasonCode >= 0x80;
    if (kind === 'pubrec' && !refused) {
      if (this.#session.outbound.has(packetIdentifier)) {
        this.#session.outbound.set(packetIdentifier, { stage: 'released' });
      }
      this.#connection.send(acknowledgementOf('pubrel', packetIdentifier));
      return;
    }
    if (!this.#session.outbound.delete(packetIdentifier)) return;
    if (refused) {
      const reason = properties.reasonString ?? reasonCodeName(reasonCode);
      const operation = 'publish';
      this.#answers.refuse(
        packetIdentifier,
        new MqttClientError({ code: 'CLIENT_REFUSED', operation, reasonCode, reason }),
      );
    } else this.#answers.settle(packetIdentifier, reasonCode);
    const next = this.#turns.shift();
    if (next === undefined) this.#quota++;
    else next('go');
  }

  failAll(end: ConnectionEnd): void {
    for (const turn of this.#turns.splice(0)) turn(end);
    this.#answers.failAll(end);
  }

  async #turn(): Promise<void> {
    const { end } = this.#connection;
    if (end === null && this.#quota > 0) {
      this.#quota--;
      return;
    }
    const outcome =
      end ??
      (await new Promise<'go' | ConnectionEnd>((resolve) => {
        this.#turns.push(resolve);
      }));
    if (outcome === 'go') return;
    throw new MqttClientError({ code: 'CLIENT_CLOSED', operation: 'publish', end: outcome });
  }
}
