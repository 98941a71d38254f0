/**
 * The inner loop of CRC-32C as a WebAssembly module, put together byte by byte.
 *
 * ```text
 * (func (export "advance") (param $at i32) (param $end i32) (param $crc i32) (result i32)
 *   (local $word i32)
 *   loop
 *     crc = T3..T0(word 3) ^ T7..T4(word 2) ^ T11..T8(word 1) ^ T15..T12(word 0 ^ crc)
 *     at += 16
 *     if at < end, again
 *   end
 *   crc)
 * ```
 *
 * where `T7..T4(word)` looks each of the word's four bytes up, the first in T7. The memory holds the input
 * and behind it T0 to T15, 256 words each.
 */

/** What one round of the loop takes; there are as many tables. */
export const ROUND_BYTES = 16;
/** Room for the input: small enough that it and the tables stay in the first cache. */
const INPUT_BYTES = 16 * 1024;
const TABLE_WORDS = 256;
const TABLE_BYTES = TABLE_WORDS * 4;
/** Of 64 KiB. */
const PAGES = 1;

/** The words of a round; the first, which has the register in it, comes last: it is waited for. */
const WORDS = [3, 2, 1, 0] as const;
const WORD_BYTES = 4;

/** Locals, by index: the parameters come first. */
const AT = 0;
const END = 1;
const CRC = 2;
const WORD = 3;

const SECTION = { types: 1, functions: 3, memories: 5, exports: 7, code: 10 } as const;
const I32 = 0x7f;
const EMPTY_BLOCK = 0x40;
const OP = {
  loop: 0x03,
  end: 0x0b,
  brIf: 0x0d,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  load: 0x28,
  const: 0x41,
  lessUnsigned: 0x49,
  add: 0x6a,
  and: 0x71,
  xor: 0x73,
  shiftLeft: 0x74,
  shiftRight: 0x76,
} as const;

type Code = readonly number[];

const get = (local: number): Code => [OP.localGet, local];
const constant = (value: number): Code => [OP.const, ...signed(value)];
/** Of a little-endian word at the address on the stack plus `offset`. */
const load = (offset: number, alignment: number): Code => [OP.load, alignment, ...unsigned(offset)];

/** The part of `WebAssembly` that is used here: the language's own library does not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** The loop, ready to run. */
export interface Crc32cLoop {
  /** Where the bytes to sum are put. */
  readonly input: Uint8Array;
  /** The register after `input[at, end)`, whole rounds and at least one. */
  readonly advance: (at: number, end: number, crc: number) => number;
}

/** @param tables  T0 to T15: `tables[n]` has the effect of a byte that is followed by n zero bytes */
export function makeCrc32cLoop(tables: readonly Int32Array[]): Crc32cLoop {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
  const { advance, memory } = exports as {
    readonly advance: Crc32cLoop['advance'];
    readonly memory: { readonly buffer: ArrayBuffer };
  };
  const words = new Int32Array(memory.buffer, INPUT_BYTES, ROUND_BYTES * TABLE_WORDS);
  for (const [index, table] of tables.entries()) words.set(table, index * TABLE_WORDS);
  return { input: new Uint8Array(memory.buffer, 0, INPUT_BYTES), advance };
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const body = [...[1, 1, I32], ...loop(), OP.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(SECTION.types, [1, 0x60, 3, I32, I32, I32, 1, I32]),
    ...section(SECTION.functions, [1, 0]),
    ...section(SECTION.memories, [1, 0x00, PAGES]),
    ...section(SECTION.exports, [2, ...name('advance'), 0x00, 0, ...name('memory'), 0x02, 0]),
    ...section(SECTION.code, [1, ...unsigned(body.length), ...body]),
  ]);
}

function loop(): Code {
  const sums = WORDS.flatMap((word, index) => [...lookUps(word), ...(index === 0 ? [] : [OP.xor])]);
  return [
    ...[OP.loop, EMPTY_BLOCK],
    ...[...sums, OP.localSet, CRC],
    ...[...get(AT), ...constant(ROUND_BYTES), OP.add, OP.localTee, AT],
    ...[...get(END), OP.lessUnsigned, OP.brIf, 0],
    ...[OP.end, ...get(CRC)],
  ];
}

/** The four look-ups of one word. */
function lookUps(word: number): Code {
  return [
    ...[...get(AT), ...load(word * WORD_BYTES, 0)],
    ...(word === 0 ? [...get(CRC), OP.xor] : []),
    ...[OP.localSet, WORD],
    ...[...lookUp(word, 0), ...lookUp(word, 1), OP.xor],
    ...[...lookUp(word, 2), ...lookUp(word, 3), OP.xor, OP.xor],
  ];
}

/** Byte `byte` of `$word`, times four, is the place in the table of as many bytes as follow it in the round. */
function lookUp(word: number, byte: number): Code {
  const bits = byte * 8 - 2;
  const shift = bits < 0 ? [...constant(-bits), OP.shiftLeft] : [...constant(bits), OP.shiftRight];
  const following = ROUND_BYTES - 1 - (word * WORD_BYTES + byte);
  return [
    ...[...get(WORD), ...shift, ...constant(0xff << 2), OP.and],
    ...load(INPUT_BYTES + following * TABLE_BYTES, 2),
  ];
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): Code {
  return [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** LEB128 of a number that is not negative: bit 6 of the last byte is its sign. */
function signed(value: number): Code {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)];
}
