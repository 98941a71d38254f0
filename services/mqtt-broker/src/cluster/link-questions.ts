import { FieldWriter, FrameReader, LinkFrameError } from '@robustmq/node-link';
import type { Denial, Gift, GiftOutcome, MemberRoom, MemberTerm } from './contract.ts';

/**
 * What brokers ask each other, as bytes in a request of the node link.
 *
 *     u8 kind | fields
 *     1 applied   varint revision of routes | varint revision of subscriptions → nothing, once both are in its router
 *     2 yield     text client id → nothing, once it has given the session up
 *     3 grant     text client id | u8 1: has user | text user → u8 1: granted, 0: another user's
 *     4 release   text client id → nothing
 *     5 assert    varint count | count × (text client id | u8 1: has user | text user)
 *                 → varint count | count × text: client ids that others own
 *     6 want      text group | text client id | varint epoch | varint room | u8 0: durable, else 1 + QoS
 *                 → nothing, when it deals the group
 *     7 endMember text group | text client id | varint epoch → nothing, when what it dealt is committed
 *     8 dealt     text group → nothing, when it deals the group
 *     9 deny      text group | text client id | text topic → nothing, when it deals the group
 *    10 give      text group | text client id | varint place | text topic | u8 kind of record | body
 *                 → u8 0: done, 1: returned, 2: denied; once it is decided
 *
 * A kind that a broker does not know is refused.
 */
export type LinkQuestion =
  | {
      readonly kind: 'applied';
      readonly routesRevision: number;
      readonly subscriptionsRevision: number;
    }
  | { readonly kind: 'yield'; readonly clientId: string }
  | { readonly kind: 'grant'; readonly holder: Holder }
  | { readonly kind: 'release'; readonly clientId: string }
  | { readonly kind: 'assert'; readonly holders: readonly Holder[] }
  | ({ readonly kind: 'want'; readonly key: string } & MemberRoom)
  | ({ readonly kind: 'endMember'; readonly key: string } & MemberTerm)
  | { readonly kind: 'dealt'; readonly key: string }
  | ({ readonly kind: 'deny'; readonly key: string } & Denial)
  | ({ readonly kind: 'give' } & Gift);

/** A client identifier that a broker serves, and whose it is. */
export interface Holder {
  readonly clientId: string;
  readonly username: string | null;
}

const KIND = {
  ...{ applied: 1, yield: 2, grant: 3, release: 4, assert: 5 },
  ...{ want: 6, endMember: 7, dealt: 8, deny: 9, give: 10 },
} as const;

export function encodeQuestion(question: LinkQuestion): Uint8Array {
  const writer = new FieldWriter().u8(KIND[question.kind]);
  switch (question.kind) {
    case 'applied':
      writer.varint(question.routesRevision).varint(question.subscriptionsRevision);
      break;
    case 'yield':
    case 'release':
      writer.text(question.clientId);
      break;
    case 'grant':
      writeHolder(writer, question.holder);
      break;
    case 'assert':
      writer.varint(question.holders.length);
      for (const holder of question.holders) writeHolder(writer, holder);
      break;
    case 'want':
      writer.text(question.key).text(question.clientId).varint(question.epoch);
      writer.varint(question.room);
      writer.u8(question.ephemeralQos === null ? 0 : 1 + question.ephemeralQos);
      break;
    case 'endMember':
      writer.text(question.key).text(question.clientId).varint(question.epoch);
      break;
    case 'dealt':
      writer.text(question.key);
      break;
    case 'deny':
      writer.text(question.key).text(question.clientId).text(question.topic);
      break;
    case 'give':
      return encodeGift(writer, question);
  }
  return writer.finish();
}

/** @throws LinkFrameError */
export function decodeQuestion(bytes: Uint8Array): LinkQuestion {
  const reader = new FrameReader(bytes);
  const kind = reader.u8();
  switch (kind) {
    case KIND.applied:
      return {
        kind: 'applied',
        routesRevision: reader.varint(),
        subscriptionsRevision: reader.varint(),
      };
    case KIND.yield:
      return { kind: 'yield', clientId: reader.text() };
    case KIND.grant:
      return { kind: 'grant', holder: readHolder(reader) };
    case KIND.release:
      return { kind: 'release', clientId: reader.text() };
    case KIND.assert: {
      const holders: Holder[] = [];
      for (let left = reader.varint(); left > 0; left -= 1) holders.push(readHolder(reader));
      return { kind: 'assert', holders };
    }
    case KIND.want:
      return {
        kind: 'want',
        key: reader.text(),
        clientId: reader.text(),
        epoch: reader.varint(),
        room: reader.varint(),
        ephemeralQos: readEphemeralQos(reader),
      };
    case KIND.endMember:
      return {
        kind: 'endMember',
        key: reader.text(),
        clientId: reader.text(),
        epoch: reader.varint(),
      };
    case KIND.dealt:
      return { kind: 'dealt', key: reader.text() };
    case KIND.deny:
      return {
        kind: 'deny',
        key: reader.text(),
        clientId: reader.text(),
        topic: reader.text(),
      };
    case KIND.give:
      return { kind: 'give', ...readGift(reader) };
    default:
      throw new LinkFrameError(`question of kind ${kind}`);
  }
}

const GIFT_OUTCOMES: readonly GiftOutcome[] = ['done', 'returned', 'denied'];

/** The answer to `give`. */
export function encodeGiftOutcome(outcome: GiftOutcome): Uint8Array {
  return Uint8Array.of(GIFT_OUTCOMES.indexOf(outcome));
}

/** An outcome that is not known here counts as returned. */
export function decodeGiftOutcome(bytes: Uint8Array): GiftOutcome {
  return GIFT_OUTCOMES[bytes[0] ?? 1] ?? 'returned';
}

export function encodeTexts(texts: readonly string[]): Uint8Array {
  const writer = new FieldWriter().varint(texts.length);
  for (const text of texts) writer.text(text);
  return writer.finish();
}

/** @throws LinkFrameError */
export function decodeTexts(bytes: Uint8Array): readonly string[] {
  const reader = new FrameReader(bytes);
  const texts: string[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) texts.push(reader.text());
  return texts;
}

function writeHolder(writer: FieldWriter, { clientId, username }: Holder): void {
  writer
    .text(clientId)
    .u8(username === null ? 0 : 1)
    .text(username ?? '');
}

function readHolder(reader: FrameReader): Holder {
  const clientId = reader.text();
  const hasUser = reader.u8() !== 0;
  const username = reader.text();
  return { clientId, username: hasUser ? username : null };
}

/** One that was told before there were others is durable. */
function readEphemeralQos(reader: FrameReader): number | null {
  const mark = reader.done ? 0 : reader.u8();
  return mark === 0 ? null : mark - 1;
}

/** The body is copied once: it may be large. */
function encodeGift(writer: FieldWriter, gift: Gift): Uint8Array {
  const { key, clientId, place, topic, recordKind, body } = gift;
  writer.text(key).text(clientId).varint(place).text(topic).u8(recordKind);
  const head = writer.finish();
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

function readGift(reader: FrameReader): Gift {
  return {
    key: reader.text(),
    clientId: reader.text(),
    place: reader.varint(),
    topic: reader.text(),
    recordKind: reader.u8(),
    body: reader.rest(),
  };
}
