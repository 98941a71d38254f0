import { PROXY_HEADER_BYTES_MAX, parseProxyHeader } from './proxy-header.ts';
import type { PeerAddress } from './peer-address.ts';

export type ProxyHeaderStep =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** The bytes of the chunk from `next` on come after the header. */
  | { readonly kind: 'complete'; readonly source: PeerAddress | null; readonly next: number };

const NOTHING = new Uint8Array(0);

/** Gathers a PROXY header that may arrive in pieces. Holds at most one header's bytes. */
export class ProxyHeaderReader {
  #held: Uint8Array = NOTHING;

  /** Takes `chunk[start, end)`; after any answer but `incomplete` the reader is spent. */
  push(chunk: Uint8Array, start: number, end: number): ProxyHeaderStep {
    const before = this.#held.length;
    const taken = Math.min(end - start, PROXY_HEADER_BYTES_MAX - before);
    const bytes = new Uint8Array(before + taken);
    bytes.set(this.#held);
    bytes.set(chunk.subarray(start, start + taken), before);
    this.#held = bytes;
    const result = parseProxyHeader(bytes);
    if (result.kind !== 'complete') return result;
    return { kind: 'complete', source: result.source, next: start + result.byteLength - before };
  }
}
