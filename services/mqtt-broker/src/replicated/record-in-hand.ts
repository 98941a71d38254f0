import { Message, type Topic } from '@robustmq/broker';
import type { JournalRecord } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import { directNameOf, originOf, readMessageRecord } from '../durable/message-record.ts';
import { RECORD_KIND } from '../durable/operations.ts';
import { RETAINED } from '../session/client-session.ts';
import { placeOf } from './place.ts';

/**
 * One record of a message shard while it is handed to those who want it. One instance serves one reader,
 * record after record: what it says is valid until `hold` is called again.
 */
export class RecordInHand {
  shard = 0;
  offset = 0;
  kind = 0;
  topic: Topic;
  body: Uint8Array = new Uint8Array(0);
  readonly #context: BrokerContext;
  readonly #message: Message;
  #lastName = '';
  #loaded = false;

  constructor(context: BrokerContext) {
    this.#context = context;
    this.topic = context.router.topicOf('-');
    this.#message = new Message(this.topic);
  }

  get place(): number {
    return placeOf(this.shard, this.offset);
  }

  hold(shard: number, record: JournalRecord): void {
    this.shard = shard;
    this.offset = record.offset;
    this.kind = record.kind;
    this.body = record.body;
    this.#loaded = false;
    const name = record.kind === RECORD_KIND.direct ? directNameOf(record.body, 0) : record.topic;
    // Neighbours are often of one topic.
    if (name !== this.#lastName || this.topic.forgotten) {
      this.#lastName = name;
      this.topic = this.#context.router.topicOf(name);
    }
  }

  /** The message, ready in the encoder. */
  load(): Message {
    const message = this.#message;
    if (this.#loaded) return message;
    this.#loaded = true;
    const { topic, kind, body } = this;
    readMessageRecord(body, { start: 0, end: body.length }, { message, topic, kind });
    if (kind === RECORD_KIND.direct) message.publisher = RETAINED;
    this.#context.encoder.load(message, this.#context.nowMs());
    return message;
  }

  /** The encoder may hold another message by now. */
  unload(): void {
    this.#loaded = false;
  }

  isFrom(clientId: Uint8Array): boolean {
    const origin = originOf(this.body);
    return origin !== null && Buffer.compare(origin.clientId, clientId) === 0;
  }
}

/** Its message, to be written elsewhere; as long as the record's bytes are. */
export function copyOf({ topic, kind, body }: RecordInHand): Message {
  const message = new Message(topic);
  readMessageRecord(body, { start: 0, end: body.length }, { message, topic, kind });
  return message;
}
