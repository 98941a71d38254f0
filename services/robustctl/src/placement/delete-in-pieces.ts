/** Deletes a range of any size: the placement center takes so many keys at a time, and no more. */
import {
  type CallOptions,
  type KeyRange,
  type Placement,
  PlacementError,
  type Revision,
} from '@robustmq/placement';

/** Few enough that no member notices the work. */
const PIECE_KEYS_MAX = 1000;

export type RangesAndTransactions = Pick<Placement, 'range' | 'transact'>;

export interface DeletedRange {
  /** Of the store after the last piece. */
  readonly revision: Revision;
  readonly deleted: number;
  /** Transactions, each with a revision of its own. */
  readonly pieces: number;
}

/** A range that fits in one piece goes in one revision; a larger one from its first key to its last. */
export async function deleteInPieces(
  placement: RangesAndTransactions,
  range: KeyRange,
  call: CallOptions,
): Promise<DeletedRange> {
  let deleted = 0;
  let limit = PIECE_KEYS_MAX;
  for (let pieces = 1; ; pieces += 1) {
    const { piece, isLast } = await nextPiece(placement, { range, limit }, call);
    try {
      const done = await deletePiece(placement, piece, call);
      deleted += done.deleted;
      if (isLast) return { revision: done.revision, deleted, pieces };
    } catch (error) {
      // The range itself is valid, it was read: so the values of its keys are too long together.
      if (limit === 1 || !isInvalid(error)) throw error;
      limit = Math.ceil(limit / 8);
      pieces -= 1;
    }
  }
}

async function nextPiece(
  placement: RangesAndTransactions,
  { range, limit }: { readonly range: KeyRange; readonly limit: number },
  call: CallOptions,
): Promise<{ readonly piece: KeyRange; readonly isLast: boolean }> {
  const request = { range, limit, content: 'keys', consistency: 'linearizable' } as const;
  const { keyValues, more } = await placement.range(request, call);
  const last = keyValues.at(-1);
  if (!more || last === undefined) return { piece: range, isLast: true };
  return { piece: { first: range.first, after: `${last.key}\0` }, isLast: false };
}

async function deletePiece(
  placement: RangesAndTransactions,
  range: KeyRange,
  call: CallOptions,
): Promise<Pick<DeletedRange, 'revision' | 'deleted'>> {
  const { revision, results } = await placement.transact(
    { compare: [], then: [{ kind: 'delete', range }], otherwise: [], requestId: null },
    call,
  );
  const [outcome] = results;
  return { revision, deleted: outcome?.kind === 'delete' ? outcome.deleted : 0 };
}

function isInvalid(error: unknown): boolean {
  return error instanceof PlacementError && error.fault.code === 'PLACEMENT_INVALID';
}
