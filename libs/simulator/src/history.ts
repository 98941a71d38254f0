/** What clients did and were told: the material of the linearizability checker. */

/** A written value as a number: 0 stands for "absent". */
export type Value = number;

export type Key = string | number;

/** What one operation asks of one key. */
export type Operation =
  | { readonly kind: 'get'; readonly key: Key }
  | { readonly kind: 'put'; readonly key: Key; readonly value: Value }
  | { readonly kind: 'delete'; readonly key: Key }
  | {
      readonly kind: 'compareAndSet';
      readonly key: Key;
      readonly expected: Value;
      readonly value: Value;
    };

export interface RecordedOperation {
  readonly client: number;
  readonly operation: Operation;
  /** When it was invoked and when it returned, on one scale; `returnedAt` is null when unknown. */
  readonly invokedAt: number;
  readonly returnedAt: number | null;
  /**
   * Of a get the value; of a delete 1 when the key existed, else 0; of a compare-and-set 1 when it
   * succeeded, else 0. Meaningless for a put and while `returnedAt` is null.
   */
  readonly result: Value;
}
