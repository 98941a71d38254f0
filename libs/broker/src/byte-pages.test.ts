import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BytePages } from './byte-pages.ts';

const PAGE_BYTES = 256 * 1024;
const BLOCK_HEADER_BYTES = 8;

function put(pages: BytePages, slot: number, length: number, fill: number): void {
  pages.reserve(slot, length);
  pages.pageOf(slot).fill(fill, pages.startOf(slot), pages.endOf(slot));
}

function holds(pages: BytePages, slot: number, length: number, fill: number): boolean {
  const content = pages.pageOf(slot).subarray(pages.startOf(slot), pages.endOf(slot));
  return content.length === length && content.every((byte) => byte === fill);
}

describe('blocks in pages', () => {
  test('a block that grows, shrinks or stays keeps what was written last', () => {
    const pages = new BytePages();
    for (const length of [0, 10, 10, 3, 40_000, 5]) {
      put(pages, 3, length, length & 0xff);
      expect(holds(pages, 3, length, length & 0xff)).toBe(true);
    }
    expect([pages.has(3), pages.has(2), pages.has(1_000_000)]).toEqual([true, false, false]);
  });

  test('a large block has a page of its own, which goes with it', () => {
    const pages = new BytePages();
    put(pages, 0, 1, 1);
    const before = pages.bytesHeld;
    put(pages, 1, 1_000_000, 2);
    expect(pages.bytesHeld).toBe(before + 1_000_000 + BLOCK_HEADER_BYTES);
    pages.free(1);
    expect(pages.bytesHeld).toBe(before);
  });

  test('replacing the same blocks for ever holds no more than a few pages', () => {
    const pages = new BytePages();
    let most = 0;
    for (let round = 0; round < 20_000; round += 1) {
      put(pages, round % 10, 100 + (round % 997), round & 0xff);
      most = Math.max(most, pages.bytesHeld);
    }
    expect(most).toBeLessThanOrEqual(6 * PAGE_BYTES);
  });

  test('what is left scattered over many pages is moved together', () => {
    const pages = new BytePages();
    for (let slot = 0; slot < 20_000; slot += 1) put(pages, slot, 200, slot & 0xff);
    for (let slot = 0; slot < 20_000; slot += 1) if (slot % 100 !== 0) pages.free(slot);
    expect(pages.bytesHeld).toBeLessThanOrEqual(6 * PAGE_BYTES);
    for (let slot = 0; slot < 20_000; slot += 100) {
      expect(holds(pages, slot, 200, slot & 0xff)).toBe(true);
    }
    for (let slot = 0; slot < 20_000; slot += 100) pages.free(slot);
    expect(pages.bytesHeld).toBeLessThanOrEqual(2 * PAGE_BYTES);
  });

  test('agrees with a map, and holds at most twice what it must and a few pages', () => {
    const length = fc.oneof(
      { weight: 8, arbitrary: fc.nat(600) },
      { weight: 4, arbitrary: fc.integer({ min: 20_000, max: 32_760 }) },
      { weight: 1, arbitrary: fc.constantFrom(32_761, 40_000, PAGE_BYTES - 8, PAGE_BYTES) },
    );
    const step = fc.tuple(fc.nat(40), length, fc.nat(9));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const pages = new BytePages();
        const model = new Map<number, readonly [length: number, fill: number]>();
        let needed = 0;
        for (const [at, [slot, byteLength, choice]] of steps.entries()) {
          const known = model.get(slot);
          if (known !== undefined) needed -= known[0] + BLOCK_HEADER_BYTES;
          model.delete(slot);
          if (choice < 3) pages.free(slot);
          else {
            put(pages, slot, byteLength, at & 0xff);
            model.set(slot, [byteLength, at & 0xff]);
            needed += byteLength + BLOCK_HEADER_BYTES;
          }
          expect(pages.has(slot)).toBe(model.has(slot));
          expect(pages.bytesHeld).toBeLessThanOrEqual(2 * needed + 6 * PAGE_BYTES);
        }
        for (const [slot, [byteLength, fill]] of model) {
          expect(holds(pages, slot, byteLength, fill)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });
});
