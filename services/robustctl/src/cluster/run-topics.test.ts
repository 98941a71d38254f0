import type { KeyedRecord } from '@robustmq/journal';
import { describe, expect, test } from 'vitest';
import { type RetainedTable, retainedTopics } from './run-topics.ts';

/** Gives at most so many records at once, however many are asked for. */
function tableOf(topics: readonly string[], atOnce: number): RetainedTable {
  const records = topics
    .toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .map((key) => ({ key, value: Buffer.from(key), fence: 0, revision: 1 }) as KeyedRecord);
  return {
    list: async (after, limit) => {
      const from =
        after === null
          ? 0
          : records.findIndex(
              ({ key }) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0,
            );
      return from < 0 ? [] : records.slice(from, from + Math.min(limit, atOnce));
    },
  };
}

async function walked(tables: readonly RetainedTable[], limit: number): Promise<string[]> {
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const page = await retainedTopics(tables, { after, limit }, 1000);
    expect(page.topics.length).toBeLessThanOrEqual(limit);
    seen.push(...page.topics.map(({ topic }) => topic));
    after = page.next;
  } while (after !== null);
  return seen;
}

describe('the topics that have a retained message', () => {
  test.each([1, 2, 3, 100])(
    'are each listed once, over all tables (pages of %i)',
    async (limit) => {
      const names = ['a', 'b/c', 'b/d', 'ä', '😀', '\uff5e', 'z', 'z/1', 'z/2'];
      const tables = [
        tableOf(
          names.filter((_, index) => index % 3 === 0),
          2,
        ),
        tableOf(
          names.filter((_, index) => index % 3 === 1),
          100,
        ),
        tableOf(
          names.filter((_, index) => index % 3 === 2),
          1,
        ),
        tableOf([], 1),
      ];
      const inOrder = names.toSorted((one, other) =>
        Buffer.compare(Buffer.from(one), Buffer.from(other)),
      );
      expect(await walked(tables, limit)).toEqual(inOrder);
    },
  );

  test('are none when no table has one', async () => {
    expect(await walked([tableOf([], 1)], 5)).toEqual([]);
  });
});
