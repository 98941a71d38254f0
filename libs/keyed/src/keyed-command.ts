/** What the log of a keyed shard holds: many calls of many clients in one command. */
import type { KeyedRecord, KeyedWrite } from '@robustmq/journal';

/** LIMIT: keyBytesMax. A longer key is refused before it is proposed. */
export const KEY_BYTES_MAX: number = 65_535;

/** One call of a client. Its writes take effect in one step. */
export type KeyedCall =
  | { readonly kind: 'write'; readonly writes: readonly KeyedWrite[] }
  | { readonly kind: 'claim'; readonly key: string; readonly fence: number };

/**
 * What the leader lays down with each command, so that replicas need not agree on a configuration or a
 * clock: all of them keep and forget the same.
 */
export interface KeyedTerms {
  /** Milliseconds since 1970, on the leader's clock. What is earlier than an earlier command counts as that. */
  readonly nowMs: number;
  /** Removals longer ago are forgotten, a few with each command. */
  readonly keepRemovalsMs: number;
  /** So are the oldest beyond so many. */
  readonly removalsMax: number;
  /** Puts that would take the shard beyond it are refused. */
  readonly storedBytesMax: number;
}

export interface KeyedCommand {
  readonly terms: KeyedTerms;
  readonly calls: readonly KeyedCall[];
}

/** What became of a call. */
export type KeyedResult =
  /** For each write whether it was taken: false, a higher fence stands there. */
  | { readonly kind: 'written'; readonly taken: readonly boolean[] }
  | { readonly kind: 'claimed'; readonly taken: boolean; readonly record: KeyedRecord | null }
  /** Nothing was written. */
  | { readonly kind: 'full'; readonly storedBytes: number; readonly storedBytesMax: number };
