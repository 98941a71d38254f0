import { BatchCache, type CachedSegment } from '@robustmq/journal-segment';
import { ENTRY_HEADER_BYTES } from '@robustmq/raft-driver';
import { expect, test } from 'vitest';
import { BatchRun } from './batch-run.ts';
import { EntrySlab } from './entry-slab.ts';

/** What the cache has for the batch at `position`. */
function found(cache: BatchCache, segment: CachedSegment, position: number): number[] {
  const chunk = cache.find(segment, position);
  if (chunk === undefined) return [];
  const start = position - chunk.position;
  return [...chunk.bytes.subarray(start, start + 3)];
}

test('entries of a slab, as far apart as in the file, are one chunk', () => {
  const segment: CachedSegment = { cached: new Map() };
  const cache = new BatchCache(1024 * 1024);
  const run = new BatchRun(cache);
  const slab = new EntrySlab();
  const positions: number[] = [];
  for (let at = 0, position = 57; at < 200; at += 1, position += 1000 + ENTRY_HEADER_BYTES) {
    const batch = slab.take(1000).fill(at);
    positions.push(position);
    run.add(segment, position, batch);
  }
  run.end();
  for (const [at, position] of positions.entries()) {
    expect(found(cache, segment, position)).toEqual([at, at, at]);
  }
  const chunks = new Set(segment.cached.values());
  expect(chunks.size).toBeLessThan(10);
});

test('what stands elsewhere in memory, or in another file, is a chunk of its own', () => {
  const segments: CachedSegment[] = [{ cached: new Map() }, { cached: new Map() }];
  const [segment, other] = segments as [CachedSegment, CachedSegment];
  const cache = new BatchCache(1024 * 1024);
  const run = new BatchRun(cache);
  const memory = new Uint8Array(100).map((_, at) => at);
  const part = (start: number): Uint8Array => memory.subarray(start, start + 10);
  run.add(segment, 50, part(0));
  run.add(segment, 70, part(20));
  run.add(segment, 81, part(40));
  run.add(segment, 101, memory.slice(60, 70));
  run.add(other, 61, part(80));
  run.end();
  run.end();
  expect(new Set(segment.cached.values()).size).toBe(3);
  expect(found(cache, segment, 50)).toEqual([0, 1, 2]);
  expect(found(cache, segment, 70)).toEqual([20, 21, 22]);
  expect(found(cache, segment, 81)).toEqual([40, 41, 42]);
  expect(found(cache, segment, 101)).toEqual([60, 61, 62]);
  expect(found(cache, other, 61)).toEqual([80, 81, 82]);
});
