/** The suite that every implementation of `Placement` passes. */
import type { Placement } from '@robustmq/placement';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeLeases } from './describe-leases.ts';
import { describeManyKeys } from './describe-many-keys.ts';
import { describeRanges } from './describe-ranges.ts';
import { describeTransactions } from './describe-transactions.ts';
import { describeWatches } from './describe-watches.ts';
import { CALL, faultOf, putText } from './placement-calls.ts';
import type { OpenedPlacement, PlacementFixture } from './placement-fixture.ts';

/** What a part of the suite works with; fresh for each test. */
export interface PlacementUnderTest {
  readonly placement: Placement;
  /** The keys of the test begin with it and no others do. */
  readonly prefix: string;
  advance(seconds: number): Promise<void>;
}

let prefixes = 0;

export function describePlacement(name: string, fixture: PlacementFixture): void {
  describe(`${name}, as a placement store`, () => {
    let opened: OpenedPlacement;
    let current: PlacementUnderTest;

    beforeEach(async () => {
      opened = await fixture.open();
      prefixes += 1;
      const { placement } = opened;
      const advance = (seconds: number): Promise<void> => opened.advance(seconds);
      current = { placement, prefix: `conformance/${prefixes}/`, advance };
    });

    afterEach(async () => {
      await opened.close();
    });

    const { capabilities } = fixture;
    describe('transactions', () => describeTransactions(() => current, capabilities));
    describe('ranges', () => describeRanges(() => current));
    describe('leases', () => describeLeases(() => current, capabilities));
    const { touchedKeysMax } = capabilities;
    if (touchedKeysMax !== undefined) {
      describe('many keys', () => describeManyKeys(() => current, touchedKeysMax));
    }
    describe('watches', () => describeWatches(() => current, capabilities));
    describeClose(() => current);
  });
}

function describeClose(current: () => PlacementUnderTest): void {
  test('a closed store refuses everything and ends its watches', async () => {
    const { placement, prefix } = current();
    const watch = placement.watch({
      range: { first: prefix, after: null },
      from: null,
      progressEveryMs: null,
    });
    const next = watch[Symbol.asyncIterator]().next();
    const settled = next.then(
      () => 'settled',
      () => 'settled',
    );
    await placement.close();
    await placement.close();
    expect(await settled).toBe('settled');
    expect(await faultOf(putText(placement, `${prefix}a`, '1'))).toEqual({
      code: 'PLACEMENT_CLOSED',
    });
    const range = { first: prefix, after: null };
    const request = { range, limit: 0, content: 'whole', consistency: 'serializable' } as const;
    expect(await faultOf(placement.range(request, CALL))).toEqual({ code: 'PLACEMENT_CLOSED' });
  });
}
