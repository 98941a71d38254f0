/**
 * The bytes of a command, which are the data of one entry of the Raft log. Integers are little-endian.
 *
 * ```text
 * command   0  version            u8    1
 *           1  zero               u8 x 3
 *           4  calls              u32
 *           8  now                u64   milliseconds since 1970
 *          16  keep removals      u64   milliseconds
 *          24  stored bytes max   u64
 *          32  removals max       u32
 *          36  calls
 *
 * call         kind u8 1: write   count u32, then so many writes
 *              kind u8 2: claim   fence u64, key length u16, key
 *
 * write        kind u8 1: put     fence u64, key length u16, key, value length u32, value
 *              kind u8 2: remove  fence u64, key length u16, key
 * ```
 *
 * Keys are UTF-8. Values are views of the command's bytes. Cost: one pass, one object per write.
 */
import { decodeUtf8, encodeUtf8 } from '@robustmq/bytes';
import { fail, type Result, succeed, unreachable } from '@robustmq/errors';
import { readUint32, readUint64, writeUint32, writeUint64 } from '@robustmq/journal';
import type { KeyedWrite } from '@robustmq/journal';
import { KEY_BYTES_MAX } from './keyed-command.ts';
import type { KeyedCall, KeyedCommand, KeyedTerms } from './keyed-command.ts';

const VERSION = 1;
/** What stands before the calls. */
export const COMMAND_HEADER_BYTES = 36;
const CALLS_AT = 4;
const CALL = { write: 1, claim: 2 } as const;
const WRITE = { put: 1, remove: 2 } as const;
/** Kind, fence, key length. */
const KEY_HEADER_BYTES = 11;

/** At most what the call takes in a command. */
export function callBytesMax(call: KeyedCall): number {
  if (call.kind === 'claim') return KEY_HEADER_BYTES + call.key.length * 3;
  let bytes = 5;
  for (const { key, value } of call.writes) {
    bytes += KEY_HEADER_BYTES + key.length * 3 + (value === null ? 0 : 4 + value.length);
  }
  return bytes;
}

/** Whether no key is longer than the codec can say. */
export function hasFittingKeys(call: KeyedCall): boolean {
  if (call.kind === 'claim') return keyFits(call.key);
  return call.writes.every(({ key }) => keyFits(key));
}

function keyFits(key: string): boolean {
  // A character of UTF-16 has at most three bytes of UTF-8.
  return key.length * 3 <= KEY_BYTES_MAX || encodeUtf8(key).length <= KEY_BYTES_MAX;
}

/** Every call has keys that fit. */
export function encodeKeyedCommand(terms: KeyedTerms, calls: readonly KeyedCall[]): Uint8Array {
  const size = calls.reduce((sum, call) => sum + callBytesMax(call), COMMAND_HEADER_BYTES);
  const out = new CommandWriter(size);
  out.header(terms, calls.length);
  for (const call of calls) out.call(call);
  return out.bytes.subarray(0, out.length);
}

class CommandWriter {
  readonly bytes: Uint8Array;
  length = COMMAND_HEADER_BYTES;

  constructor(bytesMax: number) {
    this.bytes = new Uint8Array(bytesMax);
  }

  header(terms: KeyedTerms, calls: number): void {
    this.bytes[0] = VERSION;
    writeUint32(this.bytes, CALLS_AT, calls);
    writeUint64(this.bytes, 8, terms.nowMs);
    writeUint64(this.bytes, 16, terms.keepRemovalsMs);
    writeUint64(this.bytes, 24, terms.storedBytesMax);
    writeUint32(this.bytes, 32, terms.removalsMax);
  }

  call(call: KeyedCall): void {
    switch (call.kind) {
      case 'write':
        this.#byte(CALL.write);
        this.#uint32(call.writes.length);
        for (const write of call.writes) this.#write(write);
        return;
      case 'claim':
        this.#keyed(CALL.claim, call.fence, call.key);
        return;
      default:
        unreachable(call);
    }
  }

  #write({ key, fence, value }: KeyedWrite): void {
    if (value === null) return this.#keyed(WRITE.remove, fence, key);
    this.#keyed(WRITE.put, fence, key);
    this.#uint32(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  #keyed(kind: number, fence: number, key: string): void {
    this.#byte(kind);
    writeUint64(this.bytes, this.length, fence);
    const name = encodeUtf8(key);
    this.bytes[this.length + 8] = name.length;
    this.bytes[this.length + 9] = name.length >>> 8;
    this.bytes.set(name, this.length + 10);
    this.length += 10 + name.length;
  }

  #byte(value: number): void {
    this.bytes[this.length] = value;
    this.length += 1;
  }

  #uint32(value: number): void {
    writeUint32(this.bytes, this.length, value);
    this.length += 4;
  }
}

/** Why bytes are no command; `detail` says where. */
export interface KeyedCommandFault {
  readonly detail: string;
}

/** Never throws, whatever the bytes. */
export function decodeKeyedCommand(bytes: Uint8Array): Result<KeyedCommand, KeyedCommandFault> {
  if (bytes.length < COMMAND_HEADER_BYTES || bytes[0] !== VERSION) {
    return fail({ detail: `it is no command of version ${VERSION}` });
  }
  const reader = new CommandReader(bytes);
  const terms = {
    nowMs: readUint64(bytes, 8),
    keepRemovalsMs: readUint64(bytes, 16),
    storedBytesMax: readUint64(bytes, 24),
    removalsMax: readUint32(bytes, 32),
  };
  const calls: KeyedCall[] = [];
  for (let left = readUint32(bytes, CALLS_AT); left > 0 && !reader.isBroken; left -= 1) {
    const call = reader.call();
    if (call !== null) calls.push(call);
  }
  if (reader.isBroken || reader.at !== bytes.length) {
    return fail({ detail: `it is broken at byte ${reader.at} of ${bytes.length}` });
  }
  return succeed({ terms, calls });
}

class CommandReader {
  readonly #bytes: Uint8Array;
  at = COMMAND_HEADER_BYTES;
  isBroken = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** null: it is broken. */
  call(): KeyedCall | null {
    const kind = this.#bytes[this.at];
    if (kind === CALL.claim) {
      const named = this.#keyed();
      return named === null ? null : { kind: 'claim', ...named };
    }
    if (kind !== CALL.write) return this.#broken();
    this.at += 1;
    return this.#writes();
  }

  #writes(): KeyedCall | null {
    const count = this.#uint32();
    if (count === null) return null;
    const writes: KeyedWrite[] = [];
    for (let left = count; left > 0; left -= 1) {
      const write = this.#write();
      if (write === null) return null;
      writes.push(write);
    }
    return { kind: 'write', writes };
  }

  #write(): KeyedWrite | null {
    const kind = this.#bytes[this.at];
    if (kind !== WRITE.put && kind !== WRITE.remove) return this.#broken();
    const named = this.#keyed();
    if (named === null) return null;
    const { key, fence } = named;
    if (kind === WRITE.remove) return { key, fence, value: null };
    const length = this.#uint32();
    if (length === null || this.at + length > this.#bytes.length) return this.#broken();
    const value = this.#bytes.subarray(this.at, this.at + length);
    this.at += length;
    return { key, fence, value };
  }

  #keyed(): { readonly key: string; readonly fence: number } | null {
    const bytes = this.#bytes;
    const start = this.at + KEY_HEADER_BYTES;
    if (start > bytes.length) return this.#broken();
    const fence = readUint64(bytes, this.at + 1);
    const length = (bytes[start - 2] as number) | ((bytes[start - 1] as number) << 8);
    if (start + length > bytes.length) return this.#broken();
    this.at = start + length;
    return { key: decodeUtf8(bytes, start, this.at), fence };
  }

  #uint32(): number | null {
    if (this.at + 4 > this.#bytes.length) return this.#broken();
    this.at += 4;
    return readUint32(this.#bytes, this.at - 4);
  }

  #broken(): null {
    this.isBroken = true;
    return null;
  }
}
