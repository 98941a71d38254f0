import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BytePages } from './byte-pages.ts';
import { SlotsByName } from './slots-by-name.ts';
import { utf8 } from './routing.fixture.ts';

const NAME_AT = 2;

function nameSlot(blocks: BytePages, slot: number, name: Uint8Array): void {
  blocks.reserve(slot, NAME_AT + name.length);
  const page = blocks.pageOf(slot);
  page[blocks.startOf(slot)] = name.length >>> 8;
  page[blocks.startOf(slot) + 1] = name.length;
  page.set(name, blocks.startOf(slot) + NAME_AT);
}

describe('slots by name', () => {
  test('tells what stands before the last slash', () => {
    const index = new SlotsByName(new BytePages(), NAME_AT, 1);
    const rows: readonly (readonly [string, number])[] = [
      ['a', -1],
      ['/', 0],
      ['a/b', 1],
      ['a/b/', 3],
    ];
    for (const [name, length] of rows) {
      index.hashOf(utf8(name));
      expect([name, index.prefixLength]).toEqual([name, length]);
    }
    index.hashOf(utf8('a/b/c'));
    const prefixHash = index.prefixHash;
    index.hashOf(utf8('a/b/d'));
    expect(index.prefixHash).toBe(prefixHash);
  });

  test('agrees with a map, with hashes that collide too', () => {
    const step = fc.tuple(fc.nat(80), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 300 }),
        fc.constantFrom(1, 3, 2 ** 31),
        (steps, range) => {
          const blocks = new BytePages();
          const index = new SlotsByName(blocks, NAME_AT, 5);
          const hashOf = (name: Uint8Array): number => Math.abs(index.hashOf(name)) % range;
          const model = new Map<number, boolean>();
          for (const [slot, removes] of steps) {
            const name = utf8(`topic/${slot}`);
            const found = index.find(hashOf(name), name);
            expect(found).toBe(model.has(slot) ? slot : -1);
            if (removes && found >= 0) {
              index.remove(slot);
              blocks.free(slot);
              model.delete(slot);
            } else if (!removes && found < 0) {
              nameSlot(blocks, slot, name);
              index.add(hashOf(name), slot);
              model.set(slot, true);
            }
            expect(index.count).toBe(model.size);
          }
          for (const slot of model.keys()) {
            const name = utf8(`topic/${slot}`);
            expect(index.find(hashOf(name), name)).toBe(slot);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
