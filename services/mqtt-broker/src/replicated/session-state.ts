import { FieldReader, FieldWriter } from '../durable/operations.ts';

const VERSION = 1;
const FINAL = 1;
const PENDING = 1;

/**
 * What the keyed shard keeps of a durable session: all that changes with its messages. Who it is and
 * what it subscribed to is in the placement center.
 *
 *     u8 version | u8 1: final | f64 tenure | u16 shards S | S x f64 position | S x f64 watermark
 *     | u16 count x (u16 identifier | u8 state | f64 place)
 *     | u32 count x (u16 identifier | u8 1: pending)
 *     | u16 count x (text key | S x f64)
 *     | u8 count x (f64 tenure | S x f64 | u32 count x u16)
 */
export interface SessionState {
  /** Written by an owner that has settled and writes nothing more: what it says is all there is. */
  readonly final: boolean;
  /** Epoch by which the owner that wrote it came to own the session. */
  readonly tenure: number;
  /** By shard: everything below is dealt with or among the exchanges. */
  readonly positions: readonly number[];
  /** By shard: messages of this tenure that are not among the confirmed receipts are not below it. */
  readonly watermarks: readonly number[];
  /** Open towards the client, in the order in which they are repeated. */
  readonly exchanges: readonly StoredExchange[];
  /** QoS 2 messages that the client has not released. */
  readonly receipts: readonly StoredReceipt[];
  /** Subscriptions that begin behind a position: what is before is not for them. */
  readonly starts: readonly StoredStart[];
  /** Owners before whose last messages are not all known: see `RepeatedPublishes`. */
  readonly earlier: readonly EarlierTenure[];
}

export interface StoredExchange {
  readonly id: number;
  readonly state: number;
  readonly place: number;
}

export interface StoredReceipt {
  readonly id: number;
  /** Whether its message was not known to be committed when this was written. */
  readonly pending: boolean;
}

export interface StoredStart {
  /** As subscribed. */
  readonly key: string;
  readonly offsets: readonly number[];
}

/** What the record of an owner that died leaves open: which QoS 2 messages it took after it. */
export interface EarlierTenure {
  readonly tenure: number;
  /** By shard: where such a message may be. */
  readonly from: readonly number[];
  /** Packet identifiers that were used anew since: what is found of them is no longer open. */
  readonly touched: readonly number[];
}

export function encodeSessionState(state: SessionState): Uint8Array {
  const writer = new FieldWriter()
    .u8(VERSION)
    .u8(state.final ? FINAL : 0)
    .f64(state.tenure)
    .u16(state.positions.length);
  for (const position of state.positions) writer.f64(position);
  for (const watermark of state.watermarks) writer.f64(watermark);
  writer.u16(state.exchanges.length);
  for (const { id, state: exchange, place } of state.exchanges) {
    writer.u16(id).u8(exchange).f64(place);
  }
  writer.u32(state.receipts.length);
  for (const { id, pending } of state.receipts) writer.u16(id).u8(pending ? PENDING : 0);
  writer.u16(state.starts.length);
  for (const { key, offsets } of state.starts) {
    writer.text(key);
    for (const offset of offsets) writer.f64(offset);
  }
  writer.u8(state.earlier.length);
  for (const { tenure, from, touched } of state.earlier) {
    writer.f64(tenure);
    for (const offset of from) writer.f64(offset);
    writer.u32(touched.length);
    for (const id of touched) writer.u16(id);
  }
  return writer.finish();
}

/** @throws an error with a sentence when it is of a newer version */
export function decodeSessionState(bytes: Uint8Array): SessionState {
  const reader = new FieldReader(bytes);
  const version = reader.u8();
  if (version !== VERSION) {
    throw new Error(
      `the record of a session is of version ${version}; this broker knows ${VERSION}`,
    );
  }
  const final = (reader.u8() & FINAL) !== 0;
  const tenure = reader.f64();
  const shards = reader.u16();
  const offsets = (): number[] => times(shards, () => reader.f64());
  return {
    final,
    tenure,
    positions: offsets(),
    watermarks: offsets(),
    exchanges: times(reader.u16(), () => ({
      id: reader.u16(),
      state: reader.u8(),
      place: reader.f64(),
    })),
    receipts: times(reader.u32(), () => ({ id: reader.u16(), pending: reader.u8() === PENDING })),
    starts: times(reader.u16(), () => ({ key: reader.text(), offsets: offsets() })),
    earlier: times(reader.u8(), () => ({
      tenure: reader.f64(),
      from: offsets(),
      touched: times(reader.u32(), () => reader.u16()),
    })),
  };
}

function times<Item>(count: number, make: () => Item): Item[] {
  return Array.from({ length: count }, make);
}
