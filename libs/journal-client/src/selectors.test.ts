import type { JournalRecord } from '@robustmq/journal';
import { describe, expect, test } from 'vitest';
import { splitSelector } from './selectors.ts';

const recordOn = (topic: string): JournalRecord => ({ topic }) as JournalRecord;

describe('a selector with a function', () => {
  const matches = (topic: string): boolean => topic.startsWith('a/');

  test('fetches what its filters match, and hands out what the function wants', () => {
    const { wire, wants } = splitSelector({
      ...{ kind: 'topics', exact: ['x'], matches },
      filters: ['+/b'],
    });
    expect(wire).toEqual({ kind: 'some', topics: ['x'], filters: ['+/b'] });
    const answers = ['a/b', 'c/b', 'x', ''].map((topic) => wants?.(recordOn(topic)));
    expect(answers).toEqual([true, false, true, false]);
  });

  test('fetches everything without filters', () => {
    const { wire, wants } = splitSelector({ kind: 'topics', exact: [], matches });
    expect([wire, wants?.(recordOn('c/b'))]).toEqual([{ kind: 'everything' }, false]);
  });
});
