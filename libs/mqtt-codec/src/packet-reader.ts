/**
 * Reads the body of one packet from front to back. The first fault sticks: from then on every read
 * answers with an empty value and the reader stands at the end, so that loops over the body finish
 * and decoders need no check after each step. The caller looks at `fault` once, at the end.
 */
import {
  decodeUtf8,
  readVariableByteInteger,
  utf8FaultOffset,
  variableByteIntegerSize,
} from '@robustmq/bytes';
import type { DecodeFault, DecodeLimits } from './decode-fault.ts';
import type { Frame } from './hot-path.ts';
import type { ProtocolVersion } from './packet.ts';
import { ReasonCode } from './reason-code.ts';

/** The clause for 5.0 and the one for 3.x, without the name of the standard: `[MQTT-2.2.1-3]`. */
export type Clauses = readonly [five: string, three: string];

const TRUNCATED: Clauses = ['§4.13.1', '§4.8'];

/** A cursor over the body of one packet; see the head of this file. */
export class PacketReader {
  readonly header: number;
  readonly limits: DecodeLimits;
  /** Set by CONNECT, which decides it; given for all others. */
  version: ProtocolVersion;
  readonly #bytes: Uint8Array;
  #end: number;
  #at: number;
  #fault: DecodeFault | null = null;

  constructor(bytes: Uint8Array, frame: Frame, version: ProtocolVersion, limits: DecodeLimits) {
    this.#bytes = bytes;
    this.header = frame.header;
    this.#at = frame.bodyStart;
    this.#end = frame.bodyEnd;
    this.version = version;
    this.limits = limits;
  }

  get fault(): DecodeFault | null {
    return this.#fault;
  }

  /** Bytes that are left; 0 after a fault. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Records the fault if it is the first, and goes to the end. */
  reject(reasonCode: number, reason: string, clauses: Clauses): void {
    const clause = this.version === 5 ? `MQTT-5.0 ${clauses[0]}` : `MQTT-3.1.1 ${clauses[1]}`;
    this.#fault ??= { reasonCode, reason, clause };
    this.#at = this.#end;
  }

  malformed(reason: string, clauses: Clauses): void {
    this.reject(ReasonCode.malformedPacket, reason, clauses);
  }

  protocolError(reason: string, clauses: Clauses): void {
    this.reject(ReasonCode.protocolError, reason, clauses);
  }

  /** @param what  names the field in the reason: `the topic name` */
  byte(what: string): number {
    const at = this.#take(1, what);
    return at < 0 ? 0 : (this.#bytes[at] as number);
  }

  uint16(what: string): number {
    const at = this.#take(2, what);
    return at < 0 ? 0 : this.#uint16At(at);
  }

  uint32(what: string): number {
    const at = this.#take(4, what);
    return at < 0 ? 0 : this.#uint16At(at) * 65_536 + this.#uint16At(at + 2);
  }

  variableByteInteger(what: string): number {
    const value = readVariableByteInteger(this.#bytes, this.#at, this.#end);
    if (value >= 0) {
      this.#at += variableByteIntegerSize(value);
      return value;
    }
    this.malformed(`${what} is no variable byte integer in its shortest form`, [
      '[MQTT-1.5.5-1]',
      '§2.2.3',
    ]);
    return 0;
  }

  /** A non-zero packet identifier. */
  packetIdentifier(): number {
    const identifier = this.uint16('the packet identifier');
    if (identifier === 0 && this.#fault === null) {
      this.protocolError('the packet identifier is 0', ['[MQTT-2.2.1-3]', '[MQTT-2.3.1-1]']);
    }
    return identifier;
  }

  /** Binary data with its two bytes of length, copied. */
  binary(what: string): Uint8Array {
    const length = this.uint16(`the length of ${what}`);
    return this.#copy(length, what);
  }

  /** Everything that is left, copied. */
  rest(): Uint8Array {
    return this.#copy(this.remaining, 'the payload');
  }

  /** A UTF-8 encoded string (MQTT-5.0 §1.5.4). */
  text(what: string): string {
    const length = this.uint16(`the length of ${what}`);
    const at = this.#take(length, what);
    if (at < 0) return '';
    const offset = utf8FaultOffset(this.#bytes, at, at + length);
    if (offset === -1) return decodeUtf8(this.#bytes, at, at + length);
    if (this.#bytes[offset] === 0) {
      this.malformed(`${what} contains U+0000`, ['[MQTT-1.5.4-2]', '[MQTT-1.5.3-2]']);
    } else {
      this.malformed(`${what} is ill-formed UTF-8 at its byte ${offset - at}`, [
        '[MQTT-1.5.4-1]',
        '[MQTT-1.5.3-1]',
      ]);
    }
    return '';
  }

  /**
   * Makes the next `length` bytes, which must be there, all that is left, and returns what
   * {@link leave} needs to go on with the rest.
   */
  enter(length: number): number {
    const outerEnd = this.#end;
    this.#end = this.#at + length;
    return outerEnd;
  }

  /** Ends what {@link enter} began. */
  leave(outerEnd: number): void {
    this.#end = outerEnd;
    if (this.#fault !== null) this.#at = outerEnd;
  }

  /** The fault of bytes that follow the last field; called once the packet is read. */
  expectEnd(): void {
    const rest = this.remaining;
    if (rest > 0) this.malformed(`${rest} bytes follow the last field`, TRUNCATED);
  }

  #copy(length: number, what: string): Uint8Array {
    const at = this.#take(length, what);
    // `slice` of a Buffer would share its memory; the constructor copies from any typed array.
    return at < 0 ? new Uint8Array(0) : new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  /** The offset of the next `count` bytes, or -1 when there are fewer. */
  #take(count: number, what: string): number {
    const at = this.#at;
    if (count > this.#end - at) {
      const left = this.#end - at;
      this.malformed(`${what} needs ${count} bytes, ${left} are left`, TRUNCATED);
      return -1;
    }
    // After a fault nothing is read, not even nothing.
    if (this.#fault !== null) return -1;
    this.#at = at + count;
    return at;
  }

  #uint16At(at: number): number {
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }
}
