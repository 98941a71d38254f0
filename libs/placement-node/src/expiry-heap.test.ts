import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExpiryHeap } from './expiry-heap.ts';

test('deadlines are taken in their order and never early', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100)), fc.nat(100), (deadlines, nowMs) => {
      const heap = new ExpiryHeap();
      for (const [id, atMs] of deadlines.entries()) heap.add({ id, atMs });
      const taken: number[] = [];
      for (let due = heap.takeDue(nowMs); due !== null; due = heap.takeDue(nowMs)) {
        taken.push(due.atMs);
      }
      const expected = deadlines.filter((atMs) => atMs <= nowMs).toSorted((a, b) => a - b);
      expect(taken).toEqual(expected);
      expect(heap.size).toBe(deadlines.length - expected.length);
    }),
  );
});
