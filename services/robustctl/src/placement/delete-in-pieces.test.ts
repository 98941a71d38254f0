import {
  applyCommand,
  decodeKeyValue,
  DEFAULT_STATE_MACHINE_LIMITS,
  faultOfRefusal,
  keyRecordRange,
  MemoryRecords,
  metaOf,
  type Operation,
  PlacementError,
  prefixRange,
  type RangeReply,
  rangeResult,
  recordedKey,
  singleKeyRange,
  type StateMachineLimits,
  type TransactionResult,
} from '@robustmq/placement';
import { expect, test } from 'vitest';
import { deleteInPieces, type RangesAndTransactions } from './delete-in-pieces.ts';

const CALL = { deadlineMs: 1000, signal: null };

/** The state machine without anything around it. */
class Records implements RangesAndTransactions {
  readonly records: MemoryRecords = new MemoryRecords();
  readonly #limits: StateMachineLimits;

  constructor(limits: Partial<StateMachineLimits>) {
    this.#limits = { ...DEFAULT_STATE_MACHINE_LIMITS, ...limits };
  }

  get keys(): readonly string[] {
    return [...this.records.range(keyRecordRange(prefixRange('/')))].map(([each]) =>
      recordedKey(each),
    );
  }

  async range(request: Parameters<RangesAndTransactions['range']>[0]): Promise<RangeReply> {
    const found = [...this.records.range(keyRecordRange(request.range))];
    const keyValues = found.map(([key, value]) => decodeKeyValue(recordedKey(key), value));
    return { ...rangeResult(keyValues, request), revision: metaOf(this.records).revision };
  }

  async transact(
    transaction: Parameters<RangesAndTransactions['transact']>[0],
  ): Promise<TransactionResult> {
    const command = { kind: 'transact', transaction } as const;
    const { result, writes } = applyCommand(this.records, command, this.#limits);
    if (result.kind === 'refused') throw new PlacementError(faultOfRefusal(result.refusal));
    if (result.kind !== 'transacted') throw new Error(result.kind);
    this.records.apply(writes);
    return result.result;
  }

  async fill(keys: number, bytes: number): Promise<void> {
    const put = (key: string): Operation => {
      return { kind: 'put', key, value: new Uint8Array(bytes), lease: null };
    };
    const names = Array.from({ length: keys }, (_, at) => `/a/${at}`);
    const then = [...names, '/b'].map(put);
    await this.transact({ compare: [], then, otherwise: [], requestId: null });
  }
}

for (const { why, keys, bytes, limits, pieces } of [
  { why: 'of no key', keys: 0, bytes: 0, limits: {}, pieces: 1 },
  { why: 'that fits in one piece', keys: 1000, bytes: 0, limits: {}, pieces: 1 },
  { why: 'of more keys', keys: 2500, bytes: 0, limits: {}, pieces: 3 },
  { why: 'of long values', keys: 1000, bytes: 100, limits: { touchedBytesMax: 20_000 }, pieces: 8 },
]) {
  test(`a range ${why} is deleted whole, and nothing beside it`, async () => {
    const placement = new Records(limits);
    await placement.fill(keys, bytes);
    const revision = keys === 0 ? 1 : 1 + pieces;
    const outcome = await deleteInPieces(placement, prefixRange('/a/'), CALL);
    expect(outcome).toEqual({ deleted: keys, pieces, revision });
    expect(placement.keys).toEqual(['/b']);
  });
}

test('a single key is deleted alone', async () => {
  const placement = new Records({});
  await placement.fill(12, 1);
  const outcome = await deleteInPieces(placement, singleKeyRange('/a/1'), CALL);
  expect(outcome).toMatchObject({ deleted: 1, pieces: 1 });
  expect(placement.keys).toHaveLength(12);
});

test('what is refused for another reason is told', async () => {
  const placement = new Records({ touchedKeysMax: 0 });
  await placement.fill(2, 1);
  await expect(deleteInPieces(placement, prefixRange('/a/'), CALL)).rejects.toMatchObject({
    fault: { code: 'PLACEMENT_INVALID' },
  });
});
