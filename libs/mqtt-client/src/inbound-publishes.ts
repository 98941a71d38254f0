import type { Publish } from '@robustmq/mqtt-codec';
import { acknowledgementOf } from './client-session.ts';
import type { ClientSession } from './client-session.ts';
import type { MqttConnection } from './mqtt-connection.ts';
import type { ReceivedMessage } from './received-message.ts';

/**
 * Messages from the server: resolves topic aliases, keeps QoS 2 exactly once (MQTT-5.0 §4.3.3),
 * makes acknowledgements.
 */
export class InboundPublishes {
  readonly #connection: MqttConnection;
  readonly #session: ClientSession;
  readonly #topics = new Map<number, string>();

  constructor(connection: MqttConnection, session: ClientSession) {
    this.#connection = connection;
    this.#session = session;
  }

  /** The message to hand on; null for a QoS 2 message that was taken before. */
  received(publish: Publish): ReceivedMessage | null {
    const { packetIdentifier, qos, payload, retain, dup, properties } = publish;
    const topic = this.#topicOf(publish);
    if (qos === 2) {
      if (this.#session.receivedQos2.has(packetIdentifier)) {
        this.#connection.send(acknowledgementOf('pubrec', packetIdentifier));
        return null;
      }
      this.#session.receivedQos2.add(packetIdentifier);
    }
    let acknowledged = qos === 0;
    const acknowledge = (): void => {
      if (acknowledged) return;
      acknowledged = true;
      this.#connection.send(acknowledgementOf(qos === 1 ? 'puback' : 'pubrec', packetIdentifier));
    };
    return { topic, payload, qos, retain, dup, packetIdentifier, properties, acknowledge };
  }

  /** PUBREL arrived: the identifier may name a new message from now on. */
  released(packetIdentifier: number): void {
    this.#session.receivedQos2.delete(packetIdentifier);
    this.#connection.send(acknowledgementOf('pubcomp', packetIdentifier));
  }

  #topicOf({ topic, properties: { topicAlias } }: Publish): string {
    if (topicAlias === undefined) return topic;
    if (topic !== '') this.#topics.set(topicAlias, topic);
    return topic === '' ? (this.#topics.get(topicAlias) ?? '') : topic;
  }
}
