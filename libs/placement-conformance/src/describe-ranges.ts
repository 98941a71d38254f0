import type { RangeRequest } from '@robustmq/placement';
import { compareKeys, prefixRange, singleKeyRange } from '@robustmq/placement';
import { expect, test } from 'vitest';
import type { PlacementUnderTest } from './describe-placement.ts';
import { CALL, perform, put, putText, readKey, readPrefix } from './placement-calls.ts';

const KEYS = ['a', 'a/1', 'a/2', 'a0', 'b', '\u{e9}', '\u{ffff}', '\u{1f600}'] as const;

async function fill({ placement, prefix }: PlacementUnderTest): Promise<void> {
  await perform(
    placement,
    KEYS.map((key) => put(`${prefix}${key}`, `value of ${key}`)),
  );
}

function request(prefix: string, changes: Partial<RangeRequest> = {}): RangeRequest {
  const range = prefixRange(prefix);
  return { range, limit: 0, content: 'whole', consistency: 'linearizable', ...changes };
}

export function describeRanges(current: () => PlacementUnderTest): void {
  describeBounds(current);
  describeContents(current);
}

function describeBounds(current: () => PlacementUnderTest): void {
  test('keys come in the order of their UTF-8 bytes', async () => {
    const { placement, prefix } = current();
    await fill(current());
    const { keyValues, count, more } = await readPrefix(placement, prefix);
    expect(keyValues.map((each) => each.key)).toEqual(KEYS.map((key) => `${prefix}${key}`));
    expect([...KEYS].sort(compareKeys)).toEqual(KEYS);
    expect([count, more]).toEqual([KEYS.length, false]);
  });

  for (const [why, first, after, expected] of [
    ['a range is half-open', 'a/1', 'b', ['a/1', 'a/2', 'a0']],
    ['a bound need not be a key', 'a.', 'a/2\0', ['a/1', 'a/2']],
    ['an empty range holds nothing', 'b', 'b', []],
    ['a range that ends before it begins holds nothing', 'b', 'a', []],
  ] as const) {
    test(why, async () => {
      const { placement, prefix } = current();
      await fill(current());
      const range = { first: `${prefix}${first}`, after: `${prefix}${after}` };
      const { keyValues } = await placement.range(request(prefix, { range }), CALL);
      expect(keyValues.map((each) => each.key)).toEqual(expected.map((key) => `${prefix}${key}`));
    });
  }

  test('a range without an end goes to the last key', async () => {
    const { placement, prefix } = current();
    await fill(current());
    const range = { first: `${prefix}b`, after: null };
    const { keyValues } = await placement.range(request(prefix, { range, limit: 4 }), CALL);
    expect(keyValues.map((each) => each.key)).toEqual(
      KEYS.slice(4).map((key) => `${prefix}${key}`),
    );
  });

  test('a single key is found without those that begin with it', async () => {
    const { placement, prefix } = current();
    await fill(current());
    const range = singleKeyRange(`${prefix}a`);
    const { keyValues } = await placement.range(request(prefix, { range }), CALL);
    expect(keyValues.map((each) => each.key)).toEqual([`${prefix}a`]);
  });

  for (const consistency of ['linearizable', 'serializable'] as const) {
    test(`a ${consistency} read tells the revision of the store`, async () => {
      const { placement, prefix } = current();
      const revision = await putText(placement, `${prefix}a`, '1');
      const reply = await placement.range(request(prefix, { consistency }), CALL);
      expect(reply.revision).toBeGreaterThanOrEqual(consistency === 'linearizable' ? revision : 0);
    });
  }
}

function describeContents(current: () => PlacementUnderTest): void {
  test('a limit leaves out later keys and says so', async () => {
    const { placement, prefix } = current();
    await fill(current());
    const told = async (limit: number): Promise<unknown> => {
      const reply = await placement.range(request(prefix, { limit }), CALL);
      return [reply.keyValues.length, reply.count, reply.more];
    };
    expect(await told(3)).toEqual([3, 3, true]);
    expect(await told(KEYS.length)).toEqual([KEYS.length, KEYS.length, false]);
    expect(await told(100)).toEqual([KEYS.length, KEYS.length, false]);
  });

  test('pages that begin after the last key of the one before miss nothing', async () => {
    const { placement, prefix } = current();
    await fill(current());
    const found: string[] = [];
    let range = prefixRange(prefix);
    for (;;) {
      const page = await placement.range(request(prefix, { range, limit: 3 }), CALL);
      found.push(...page.keyValues.map((each) => each.key));
      if (!page.more) break;
      range = { first: `${found.at(-1)}\0`, after: range.after };
    }
    expect(found).toEqual(KEYS.map((key) => `${prefix}${key}`));
  });

  test('keys alone come with their revisions and without values', async () => {
    const { placement, prefix } = current();
    await fill(current());
    const { keyValues } = await placement.range(request(prefix, { content: 'keys' }), CALL);
    expect(keyValues).toHaveLength(KEYS.length);
    expect(keyValues.every((each) => each.value.length === 0 && each.version === 1)).toBe(true);
  });

  test('a count counts all, whatever the limit', async () => {
    const { placement, prefix } = current();
    await fill(current());
    const reply = await placement.range(request(prefix, { content: 'count', limit: 2 }), CALL);
    expect([reply.keyValues, reply.count, reply.more]).toEqual([[], KEYS.length, false]);
  });

  test('values are any bytes, none too', async () => {
    const { placement, prefix } = current();
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    const key = `${prefix}bytes`;
    await perform(placement, [{ kind: 'put', key, value, lease: null }, put(`${prefix}empty`, '')]);
    expect([...((await readKey(placement, key))?.value ?? [])]).toEqual([...value]);
    expect((await readKey(placement, `${prefix}empty`))?.value).toHaveLength(0);
  });

  test('a long key and a large value come back whole', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}${'\u{e9}'.repeat(2000)}`;
    const text = 'x'.repeat(500_000);
    await putText(placement, key, text);
    expect((await readKey(placement, key))?.value).toHaveLength(text.length);
  });
}
