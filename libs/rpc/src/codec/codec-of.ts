import type { Codec } from '../contract/method.ts';
import { ProtobufReader } from '../wire/protobuf-reader.ts';
import { encodeMessage, type ProtobufWriter } from '../wire/protobuf-writer.ts';

/** Joins the two directions of one message. */
export function codecOf<Value>(
  write: (writer: ProtobufWriter, value: Value) => void,
  read: (reader: ProtobufReader) => Value,
): Codec<Value> {
  return {
    encode: (value) => encodeMessage(value, write),
    decode: (bytes) => read(new ProtobufReader(bytes)),
  };
}

/** Of a message without fields. */
export const emptyCodec: Codec<Record<string, never>> = codecOf(
  () => {},
  (reader) => {
    while (reader.next()) reader.skip();
    return {};
  },
);

/** Of a message that its sender has encoded already. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
};
