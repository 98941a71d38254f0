/**
 * The state changes of durable sessions, as written to the journal beside the messages. One record
 * of kind {@link RECORD_KIND.operations} ends each batch and holds them in order:
 *
 *     u8 code | fields of fixed width, big endian, texts and bytes with a u32 length before them
 *
 * A batch is kept or lost as a whole, so an operation is durable exactly when its messages are.
 */
export const RECORD_KIND = { message: 1, direct: 2, operations: 3 } as const;

export const OPERATION = {
  /**
   * session u32 | packet identifier u16 | QoS u8, with {@link ASSIGNED_BY_GROUP} | offset f64: an
   * exchange was opened, and unless by a group, everything up to the offset is dealt with.
   */
  assign: 1,
  /** session u32 | packet identifier u16: an exchange is over. */
  release: 2,
  /** session u32 | packet identifier u16: PUBREC arrived. */
  received: 3,
  /** session u32 | packet identifier u16: an inbound QoS 2 message was taken. */
  receipt: 4,
  /** session u32 | packet identifier u16: PUBREL arrived. */
  receiptReleased: 5,
  /** session u32 | whole session as bytes (session-record.ts): it was made or its terms changed. */
  session: 6,
  /** session u32: it ended. */
  sessionEnded: 7,
  /** topic text: a retained message was removed. */
  retainedDeleted: 8,
  /** session u32 | position f64: everything below it is dealt with. */
  position: 9,
  /** group key text | position f64: as above, of a shared subscription. */
  groupPosition: 10,
  /** group key text: it is gone. */
  groupEnded: 11,
  /** client id text | will as bytes, empty: none: what to publish should the broker die. */
  will: 12,
  /** group key text | offset f64: a message that the group's place has passed is the group's (again). */
  groupReturn: 13,
  /** session u32 | packet identifier u16 | group key text: the group gave what the exchange is about. */
  given: 14,
  /** group key text | offset f64: a message is no longer the group's: somebody has it, or it is gone. */
  groupDone: 15,
  /** session u32 | one subscription as bytes (session-record.ts): it is new, or its options are. */
  subscribed: 16,
  /** session u32 | filter text as subscribed. */
  unsubscribed: 17,
  /** session u32 | terms as bytes (session-record.ts): they changed, the subscriptions did not. */
  terms: 18,
} as const;

/** Beside the QoS of `assign`: a shared group gave the message; the session's own place stays. */
export const ASSIGNED_BY_GROUP = 0x80;

/** A growing buffer of operations; see the layout above. */
export class OperationWriter {
  #bytes: Uint8Array = new Uint8Array(4096);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  clear(): void {
    this.#length = 0;
  }

  assign(session: number, identifier: number, qos: number, offset: number): void {
    this.#room(16);
    const at = this.#length;
    this.#bytes[at] = OPERATION.assign;
    this.#view.setUint32(at + 1, session);
    this.#view.setUint16(at + 5, identifier);
    this.#bytes[at + 7] = qos;
    this.#view.setFloat64(at + 8, offset);
    this.#length = at + 16;
  }

  /** For release, received, receipt and receiptReleased. */
  exchange(code: number, session: number, identifier: number): void {
    this.#room(7);
    const at = this.#length;
    this.#bytes[at] = code;
    this.#view.setUint32(at + 1, session);
    this.#view.setUint16(at + 5, identifier);
    this.#length = at + 7;
  }

  given(session: number, identifier: number, groupKey: string): void {
    this.exchange(OPERATION.given, session, identifier);
    this.#blob(new TextEncoder().encode(groupKey));
  }

  session(session: number, record: Uint8Array): void {
    this.ofSession(OPERATION.session, session, record);
  }

  /** For session, subscribed, unsubscribed and terms. */
  ofSession(code: number, session: number, record: Uint8Array): void {
    this.#head(code, session);
    this.#blob(record);
  }

  sessionEnded(session: number): void {
    this.#head(OPERATION.sessionEnded, session);
  }

  position(session: number, position: number): void {
    this.#head(OPERATION.position, session);
    this.#float(position);
  }

  /** For retainedDeleted and groupEnded. */
  text(code: number, text: string): void {
    this.#room(1);
    this.#bytes[this.#length] = code;
    this.#length += 1;
    this.#blob(new TextEncoder().encode(text));
  }

  /** For groupPosition, groupReturn and groupDone. */
  group(code: number, key: string, position: number): void {
    this.text(code, key);
    this.#float(position);
  }

  will(clientId: string, record: Uint8Array): void {
    this.text(OPERATION.will, clientId);
    this.#blob(record);
  }

  #head(code: number, session: number): void {
    this.#room(5);
    this.#bytes[this.#length] = code;
    this.#view.setUint32(this.#length + 1, session);
    this.#length += 5;
  }

  #float(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  #blob(bytes: Uint8Array): void {
    this.#room(4 + bytes.length);
    this.#view.setUint32(this.#length, bytes.length);
    this.#bytes.set(bytes, this.#length + 4);
    this.#length += 4 + bytes.length;
  }

  #room(byteLength: number): void {
    const needed = this.#length + byteLength;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** What recovery does with each operation, in the order of the journal. */
export interface OperationTarget {
  assign(session: number, identifier: number, qos: number, offset: number): void;
  exchange(code: number, session: number, identifier: number): void;
  session(session: number, record: Uint8Array): void;
  subscribed(session: number, record: Uint8Array): void;
  unsubscribed(session: number, key: string): void;
  terms(session: number, record: Uint8Array): void;
  sessionEnded(session: number): void;
  position(session: number, position: number): void;
  retainedDeleted(topic: string): void;
  groupPosition(key: string, position: number): void;
  groupReturn(key: string, offset: number): void;
  groupDone(key: string, offset: number): void;
  given(session: number, identifier: number, groupKey: string): void;
  groupEnded(key: string): void;
  will(clientId: string, record: Uint8Array): void;
}

/** Replays one operations record. Its checksum was verified, so a fault here is a fault of ours. */
export function replayOperations(body: Uint8Array, target: OperationTarget): void {
  const reader = new FieldReader(body);
  while (!reader.done) replayOne(reader, target);
}

function replayOne(reader: FieldReader, target: OperationTarget): void {
  const code = reader.u8();
  const replayed = replayOfSession(code, reader, target) || replayOfNode(code, reader, target);
  if (!replayed) {
    throw new Error(`the journal holds an operation of a newer version: code ${code}`);
  }
}

function replayOfSession(code: number, reader: FieldReader, target: OperationTarget): boolean {
  switch (code) {
    case OPERATION.assign:
      target.assign(reader.u32(), reader.u16(), reader.u8(), reader.f64());
      break;
    case OPERATION.release:
    case OPERATION.received:
    case OPERATION.receipt:
    case OPERATION.receiptReleased:
      target.exchange(code, reader.u32(), reader.u16());
      break;
    case OPERATION.given:
      target.given(reader.u32(), reader.u16(), reader.text());
      break;
    case OPERATION.session:
      target.session(reader.u32(), reader.blob());
      break;
    case OPERATION.subscribed:
      target.subscribed(reader.u32(), reader.blob());
      break;
    case OPERATION.unsubscribed:
      target.unsubscribed(reader.u32(), reader.text());
      break;
    case OPERATION.terms:
      target.terms(reader.u32(), reader.blob());
      break;
    case OPERATION.sessionEnded:
      target.sessionEnded(reader.u32());
      break;
    case OPERATION.position:
      target.position(reader.u32(), reader.f64());
      break;
    default:
      return false;
  }
  return true;
}

function replayOfNode(code: number, reader: FieldReader, target: OperationTarget): boolean {
  switch (code) {
    case OPERATION.retainedDeleted:
      target.retainedDeleted(reader.text());
      break;
    case OPERATION.groupPosition:
      target.groupPosition(reader.text(), reader.f64());
      break;
    case OPERATION.groupReturn:
      target.groupReturn(reader.text(), reader.f64());
      break;
    case OPERATION.groupDone:
      target.groupDone(reader.text(), reader.f64());
      break;
    case OPERATION.groupEnded:
      target.groupEnded(reader.text());
      break;
    case OPERATION.will:
      target.will(reader.text(), reader.blob());
      break;
    default:
      return false;
  }
  return true;
}

/** Reads fields of a record of ours in order. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4));
  }

  f64(): number {
    return this.#view.getFloat64(this.#step(8));
  }

  /** A copy. */
  blob(): Uint8Array {
    const length = this.u32();
    const start = this.#step(length);
    return this.#bytes.slice(start, start + length);
  }

  text(): string {
    return new TextDecoder().decode(this.blob());
  }

  #step(byteLength: number): number {
    const start = this.#at;
    this.#at += byteLength;
    if (this.#at > this.#bytes.length) throw new RangeError('a record ends within a field');
    return start;
  }
}

/** Writes fields of a record of ours in order; the counterpart of {@link FieldReader}. */
export class FieldWriter {
  #bytes: Uint8Array = new Uint8Array(256);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  // The place first: making room replaces the buffer and its view.
  u8(value: number): this {
    const at = this.#step(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#step(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#step(4);
    this.#view.setUint32(at, value);
    return this;
  }

  f64(value: number): this {
    const at = this.#step(8);
    this.#view.setFloat64(at, value);
    return this;
  }

  blob(bytes: Uint8Array): this {
    this.u32(bytes.length);
    const at = this.#step(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  text(text: string): this {
    return this.blob(new TextEncoder().encode(text));
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #step(byteLength: number): number {
    const start = this.#length;
    const needed = start + byteLength;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = needed;
    return start;
  }
}
