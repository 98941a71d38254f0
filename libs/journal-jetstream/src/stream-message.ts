/**
 * The messages of a shard's stream.
 *
 * ```text
 * batch   part 0 … part n-1         each with first, after, part, parts
 * index   part 0 … part n-1         of the packed index of the segment that ends here
 * seal    the range of the segment, where its index and the seal before it stand
 * claim   a writer begins: what follows is its own
 * ```
 *
 * A place is a sequence number of the stream. One writer makes all messages, so it knows the number of
 * each before it sends it, and the server checks that (Nats-Expected-Last-Sequence).
 */
import type { SealedSegment } from '@robustmq/batch-shard';

/** Well below NATS's default limit of 1 MiB for a message with its headers. */
export const PART_BYTES: number = 512 * 1024;

type HeaderField =
  | 'first'
  | 'after'
  | 'part'
  | 'parts'
  | 'writer'
  | 'place'
  | 'bytes'
  | 'span'
  | 'previous';

export const HEADER: Readonly<Record<HeaderField, string>> = {
  first: 'Journal-First',
  after: 'Journal-After',
  part: 'Journal-Part',
  parts: 'Journal-Parts',
  writer: 'Journal-Writer',
  place: 'Journal-Place',
  bytes: 'Journal-Bytes',
  span: 'Journal-Span',
  previous: 'Journal-Previous-Seal',
};

/** A message as it is to be stored at `seq`. */
export interface OutgoingMessage {
  readonly seq: number;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
}

export interface IncomingMessage {
  readonly seq: number;
  readonly subject: string;
  readonly header: (name: string) => string;
  readonly payload: Uint8Array;
}

export function partsOf(byteLength: number): number {
  return Math.max(1, Math.ceil(byteLength / PART_BYTES));
}

/** The messages that carry `bytes`, from `seq` on. */
export function partMessages(
  place: { readonly seq: number; readonly subject: string },
  bytes: Uint8Array,
  range: { readonly first: number; readonly after: number },
): OutgoingMessage[] {
  const parts = partsOf(bytes.length);
  return Array.from({ length: parts }, (_, part) => ({
    seq: place.seq + part,
    subject: place.subject,
    headers: {
      [HEADER.first]: String(range.first),
      [HEADER.after]: String(range.after),
      [HEADER.part]: String(part),
      [HEADER.parts]: String(parts),
    },
    payload: bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES),
  }));
}

export function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A sealed segment, and where its seal and its index stand. */
export interface SealedStretch extends SealedSegment {
  readonly sealSeq: number;
  readonly indexParts: number;
  /** The seal of the segment before it, 0 for none. */
  readonly previousSeal: number;
}

export function sealMessage(subject: string, stretch: SealedStretch): OutgoingMessage {
  return {
    seq: stretch.sealSeq,
    subject,
    headers: {
      [HEADER.first]: String(stretch.first),
      [HEADER.after]: String(stretch.after),
      [HEADER.place]: String(stretch.place),
      [HEADER.bytes]: String(stretch.bytes),
      [HEADER.span]: String(stretch.span),
      [HEADER.parts]: String(stretch.indexParts),
      [HEADER.previous]: String(stretch.previousSeal),
    },
    payload: new Uint8Array(0),
  };
}

export function readSeal(message: IncomingMessage): SealedStretch {
  const number = (name: string): number => numberIn(message, name);
  return {
    sealSeq: message.seq,
    first: number(HEADER.first),
    after: number(HEADER.after),
    place: number(HEADER.place),
    bytes: number(HEADER.bytes),
    span: number(HEADER.span),
    indexParts: number(HEADER.parts),
    previousSeal: number(HEADER.previous),
  };
}

/** @throws Error naming the message when the header is no number */
export function numberIn(message: IncomingMessage, name: string): number {
  const value = Number(message.header(name) || Number.NaN);
  if (Number.isSafeInteger(value)) return value;
  throw new Error(`message ${message.seq} of ${message.subject} has no ${name}: it is not ours`);
}
