import { expect, test } from 'vitest';
import { BatchCache, type CachedChunk, type CachedSegment } from './batch-cache.ts';

/** Beside the bytes, so that a chunk costs 1,128. */
const CHUNK_BYTES = 1000;

function chunkAt(segment: CachedSegment, position: number): CachedChunk {
  return { segment, position, bytes: new Uint8Array(CHUNK_BYTES), positions: [position] };
}

test('what was not used for longest goes first, again and again', () => {
  const segment: CachedSegment = { cached: new Map() };
  const cache = new BatchCache(3 * 1128);
  for (let position = 0; position < 3; position += 1) cache.add(chunkAt(segment, position));
  expect(cache.find(segment, 0)?.position).toBe(0);
  cache.add(chunkAt(segment, 3));
  expect(new Set(segment.cached.keys())).toEqual(new Set([0, 2, 3]));
  for (let position = 4; position < 1000; position += 1) {
    cache.add(chunkAt(segment, position));
    expect(segment.cached.size).toBe(3);
  }
  expect(cache.byteLength).toBe(3 * 1128);
  cache.drop(segment);
  expect(cache.byteLength).toBe(0);
  cache.add(chunkAt(segment, 7));
  expect([...segment.cached.keys()]).toEqual([7]);
});
