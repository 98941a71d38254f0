import { prefixRange } from '@robustmq/placement';
import { expect, test } from 'vitest';
import type { PlacementUnderTest } from './describe-placement.ts';
import { CALL, faultOf, perform, put, putText, readPrefix } from './placement-calls.ts';

/** @param keysMax  how many one transaction touches at most */
export function describeManyKeys(current: () => PlacementUnderTest, keysMax: number): void {
  const names = (prefix: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, at) => `${prefix}${at}`);

  test('a deletion of more keys than a transaction touches is refused, and nothing happens', async () => {
    const { placement, prefix } = current();
    const range = prefixRange(prefix);
    await perform(
      placement,
      names(prefix, keysMax).map((key) => put(key, '1')),
    );
    await putText(placement, `${prefix}more`, '1');
    const fault = await faultOf(perform(placement, [{ kind: 'delete', range }]));
    const detail = expect.stringContaining(`${keysMax} keys`);
    expect(fault).toEqual({ code: 'PLACEMENT_INVALID', detail });
    expect((await readPrefix(placement, prefix)).count).toBe(keysMax + 1);
    await perform(placement, [{ kind: 'delete', range: prefixRange(`${prefix}more`) }]);
    const { results } = await perform(placement, [{ kind: 'delete', range }]);
    expect(results).toEqual([{ kind: 'delete', deleted: keysMax }]);
  });

  test('a lease with more keys than a transaction touches takes all of them', async () => {
    const { placement, prefix } = current();
    const { id } = await placement.grantLease(60, CALL);
    for (const round of ['a', 'b', 'c']) {
      const keys = names(`${prefix}${round}`, keysMax);
      await perform(
        placement,
        keys.map((key) => put(key, '1', id)),
      );
    }
    await placement.revokeLease(id, CALL);
    expect((await readPrefix(placement, prefix)).count).toBe(0);
    const gone = { code: 'PLACEMENT_LEASE_NOT_FOUND' };
    expect(await faultOf(placement.readLease(id, CALL))).toMatchObject(gone);
    expect(await faultOf(placement.keepLease(id, CALL))).toMatchObject(gone);
  });
}
