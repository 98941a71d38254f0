import type { LeaseId, Revision } from './identifiers.ts';
import type { KeyRange, KeyValue } from './key-value.ts';

/**
 * If every comparison holds, `then` is carried out, else `otherwise`: as one step that nobody sees
 * half done. At most one of its puts and deletions may touch a key.
 */
export interface Transaction {
  readonly compare: readonly Comparison[];
  readonly then: readonly Operation[];
  readonly otherwise: readonly Operation[];
  /**
   * Sent again under the same id, the transaction is not carried out twice: the first outcome is
   * told, without its `results`. null for one that may be repeated anyway.
   */
  readonly requestId: string | null;
}

/** What is compared about one key. A key that does not exist has version and revisions 0 and no value. */
export type Comparison =
  | {
      readonly target: 'version' | 'createRevision' | 'modRevision';
      readonly key: string;
      readonly relation: Relation;
      readonly number: number;
    }
  | {
      readonly target: 'value';
      readonly key: string;
      readonly relation: Relation;
      readonly value: Uint8Array;
    }
  | { readonly target: 'lease'; readonly key: string; readonly lease: LeaseId | null };

export type Relation = 'equal' | 'notEqual' | 'less' | 'greater';

export type Operation = PutOperation | DeleteOperation | RangeOperation;

export interface PutOperation {
  readonly kind: 'put';
  readonly key: string;
  readonly value: Uint8Array;
  readonly lease: LeaseId | null;
}

export interface DeleteOperation {
  readonly kind: 'delete';
  readonly range: KeyRange;
}

/** Reads what the operations before it left. */
export interface RangeOperation {
  readonly kind: 'range';
  readonly range: KeyRange;
  /** 0: no limit but the server's. */
  readonly limit: number;
  readonly content: 'whole' | 'keys' | 'count';
}

export type OperationResult =
  | { readonly kind: 'put'; readonly previous: KeyValue | null }
  | { readonly kind: 'delete'; readonly deleted: number }
  | RangeResult;

export interface RangeResult {
  readonly kind: 'range';
  /** Of the content asked for; a value not asked for is empty. Ascending by key. */
  readonly keyValues: readonly KeyValue[];
  /** All in the range when `content` is `count`, else how many are here. */
  readonly count: number;
  /** The limit left out later keys. */
  readonly more: boolean;
}

export interface TransactionResult {
  /** Of the store after the transaction. */
  readonly revision: Revision;
  /** Whether the comparisons held. */
  readonly succeeded: boolean;
  /** One per operation carried out; empty when `repeated`. */
  readonly results: readonly OperationResult[];
  /** The request id was known: this happened before. */
  readonly repeated: boolean;
}
