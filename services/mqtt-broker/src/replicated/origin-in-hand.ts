import type { Message } from '@robustmq/broker';
import type { BrokerContext } from '../broker-context.ts';
import type { MessageOrigin } from '../durable/message-record.ts';
import type { ClientSession } from '../session/client-session.ts';
import { originNameOf } from './named-publications.ts';
import { SessionCursor } from './session-cursor.ts';

const UTF8 = new TextEncoder();

/** Where the message that is written now came from. One object for all, since publishers come in runs. */
export class OriginInHand implements MessageOrigin {
  clientId: Uint8Array = UTF8.encode('');
  packetIdentifier = 0;
  tenure = 0;
  readonly #context: BrokerContext;
  #name: string | null = '';

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  /** What is published next has a name of its own; null: it has none. */
  publication: string | null = null;

  of(message: Message, publisher: ClientSession | null): this {
    const name = publisher?.clientId ?? '';
    if (this.publication !== null) {
      this.#name = null;
      this.clientId = originNameOf(this.publication);
    } else if (name !== this.#name) {
      this.#name = name;
      this.clientId = UTF8.encode(name);
    }
    this.packetIdentifier = this.#packetIdentifierOf(message);
    const consumer = publisher?.consumer;
    this.tenure = consumer instanceof SessionCursor ? consumer.tenure : 0;
    return this;
  }

  /** That of the PUBLISH which is passing through; a will has none. */
  #packetIdentifierOf(message: Message): number {
    if (message.qos !== 2 || message !== this.#context.message) return 0;
    return this.#context.publishFields.packetIdentifier;
  }
}
