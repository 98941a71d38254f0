/** The secret that members and clients of one cluster share, as `authorization: Bearer <token>`. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';

const KEY = 'authorization';
const SCHEME = 'Bearer ';

/** Adds the token to what a call sends. */
export function addToken(metadata: Metadata, token: string | null): void {
  if (token !== null) metadata.set(KEY, SCHEME + token);
}

/** A check that takes the same time wherever two tokens differ: their digests are compared. */
export function tokenCheck(token: string): (metadata: Metadata) => boolean {
  const expected = digest(SCHEME + token);
  return (metadata) => {
    const [given] = metadata.get(KEY);
    return typeof given === 'string' && timingSafeEqual(digest(given), expected);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
