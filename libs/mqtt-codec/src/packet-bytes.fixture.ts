/** Packets written down for tests: `packet('10', '"MQTT" 04 02 003c "id"')`. */
import { ByteWriter, encodeUtf8 } from '@robustmq/bytes';
import { DECODE_FROM_CLIENT, DECODE_FROM_SERVER, type DecodeFault } from './decode-fault.ts';
import { decodePacket } from './decode-packet.ts';
import { createFrame, readFrame } from './frame.ts';
import { type Frame, FrameStatus } from './hot-path.ts';
import type { Packet, ProtocolVersion } from './packet.ts';

/** Hexadecimal digits, `"text"` with its two bytes of length, `'text'` without; blanks are ignored. */
export function bytesOf(notation: string): Uint8Array {
  const writer = new ByteWriter(64);
  for (const [token] of notation.matchAll(/"[^"]*"|'[^']*'|[0-9a-f]{2}/g)) {
    const text = encodeUtf8(token.slice(1, -1));
    if (token.startsWith('"')) writer.uint16(text.length);
    if (/^["']/.test(token)) writer.raw(text);
    else writer.byte(Number.parseInt(token, 16));
  }
  return writer.view();
}

/** First byte, the right remaining length, body. */
export function packet(header: string, body: string): Uint8Array {
  const bytes = bytesOf(body);
  const writer = new ByteWriter(64);
  writer.raw(bytesOf(header));
  writer.variableByteInteger(bytes.length);
  writer.raw(bytes);
  return writer.view();
}

/** Properties with their length before them. */
export function properties(notation: string): string {
  return [bytesOf(notation).length, ...bytesOf(notation)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** The frame of a packet that is all there. */
export function frameOf(bytes: Uint8Array): Frame {
  const frame = createFrame();
  const status = readFrame(bytes, 0, bytes.length, frame);
  if (status !== FrameStatus.complete) throw new Error(`no complete packet: status ${status}`);
  return frame;
}

/** The packet, or the fault, that the bytes decode to. */
export function decoded(
  bytes: Uint8Array,
  version: ProtocolVersion,
  direction: 'fromClient' | 'fromServer',
): Packet | DecodeFault {
  const limits = direction === 'fromClient' ? DECODE_FROM_CLIENT : DECODE_FROM_SERVER;
  const result = decodePacket(bytes, frameOf(bytes), version, limits);
  return result.ok ? result.value : result.fault;
}
