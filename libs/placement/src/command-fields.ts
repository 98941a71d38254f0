/** How the fields of a command are written; command-reader.ts reads them. */
import { type ByteWriter, encodeUtf8 } from '@robustmq/bytes';
import { keyBytes } from './keys.ts';

/** Up to this many UTF-16 units of ASCII are written one by one: most keys are. */
const SHORT_TEXT_UNITS = 64;
const TWO_32 = 2 ** 32;

/** @param value  a safe integer from 0 */
export function writeNumber(writer: ByteWriter, value: number): void {
  writer.uint32(Math.floor(value / TWO_32));
  writer.uint32(value % TWO_32);
}

export function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.uint32(bytes.length);
  writer.raw(bytes);
}

export function writeText(writer: ByteWriter, text: string): void {
  if (text.length > SHORT_TEXT_UNITS || keyBytes(text) !== text.length) {
    writeBytes(writer, encodeUtf8(text));
    return;
  }
  writer.uint32(text.length);
  for (let at = 0; at < text.length; at += 1) writer.byte(text.charCodeAt(at));
}

export function writeNullableNumber(writer: ByteWriter, value: number | null): void {
  writer.byte(value === null ? 0 : 1);
  if (value !== null) writeNumber(writer, value);
}

export function writeNullableText(writer: ByteWriter, text: string | null): void {
  writer.byte(text === null ? 0 : 1);
  if (text !== null) writeText(writer, text);
}
