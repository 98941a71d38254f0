import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterMatchesTopic } from './filter-match.ts';
import { FilterTrie } from './filter-trie.ts';
import { anyFilter, anyName, expressionOf } from './topics.arbitrary.ts';

interface Subscriber {
  readonly id: number;
}

function matchesOf(trie: FilterTrie<Subscriber>, name: string): number[] {
  const found: number[] = [];
  trie.match(name, (value) => found.push(value.id));
  return found.sort((a, b) => a - b);
}

describe('the filter trie', () => {
  test('agrees with regular expressions while pairs come and go', () => {
    const step = fc.record({ filter: anyFilter, id: fc.nat(4), removes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(anyName), (steps, names) => {
        const trie = new FilterTrie<Subscriber>();
        const subscribers = [0, 1, 2, 3, 4].map((id) => ({ id }));
        const pairs = new Map<string, { filter: string; id: number }>();
        for (const { filter, id, removes } of steps) {
          const key = `${id} ${filter}`;
          const value = subscribers[id] as Subscriber;
          if (removes) expect(trie.remove(filter, value)).toBe(pairs.delete(key));
          else if (!pairs.has(key)) {
            trie.add(filter, value);
            pairs.set(key, { filter, id });
          }
        }
        const all = [...pairs.values()];
        expect(trie.valueCount).toBe(all.length);
        expect(trie.filterCount).toBe(new Set(all.map((pair) => pair.filter)).size);
        for (const name of names) {
          const expected = all.filter((pair) => expressionOf(pair.filter).test(name));
          expect(matchesOf(trie, name)).toEqual(expected.map(({ id }) => id).sort((a, b) => a - b));
        }
        for (const { filter } of all) {
          const expected = all.filter((pair) => pair.filter === filter).map(({ id }) => id);
          const actual = trie.valuesOf(filter).map(({ id }) => id);
          expect(actual.sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
        }
        for (const { filter, id } of all) trie.remove(filter, subscribers[id] as Subscriber);
        expect(trie.valueCount + trie.filterCount + trie.wildcardFilterCount).toBe(0);
      }),
    );
  });

  test('leaves out exact filters when only wildcards are asked for', () => {
    const trie = new FilterTrie<Subscriber>();
    trie.add('a/b', { id: 1 });
    trie.add('a/+', { id: 2 });
    const found: number[] = [];
    trie.matchWildcards('a/b', (value) => found.push(value.id));
    expect(found).toEqual([2]);
  });

  test('lets a crowd on one filter come and go', () => {
    const trie = new FilterTrie<Subscriber>();
    const crowd = Array.from({ length: 500 }, (_, id) => ({ id }));
    for (const value of crowd) trie.add('a/#', value);
    const even = crowd.filter(({ id }) => id % 2 === 0);
    for (const value of even) expect(trie.remove('a/#', value)).toBe(true);
    for (const value of even) expect(trie.remove('a/#', value)).toBe(false);
    expect(matchesOf(trie, 'a')).toEqual(
      crowd.filter(({ id }) => id % 2 === 1).map(({ id }) => id),
    );
    for (const value of crowd) trie.remove('a/#', value);
    expect(trie.filterCount).toBe(0);
  });

  test('lets a visitor match again', () => {
    const trie = new FilterTrie<Subscriber>();
    trie.add('+/b', { id: 1 });
    trie.add('a/+', { id: 2 });
    const found: string[] = [];
    trie.match('a/b', (outer) => {
      trie.match('a/c', (inner) => found.push(`${outer.id}${inner.id}`));
    });
    expect(found.sort()).toEqual(['12', '22']);
  });

  test('bears a filter of 65535 slashes', () => {
    const trie = new FilterTrie<Subscriber>();
    const deep = '/'.repeat(65_535);
    const value = { id: 1 };
    trie.add(`${deep}+`, value);
    trie.add(deep, value);
    expect(matchesOf(trie, deep)).toEqual([1, 1]);
    expect(matchesOf(trie, `${deep}/`)).toEqual([]);
    expect(trie.remove(`${deep}+`, value)).toBe(true);
    expect(trie.remove(deep, value)).toBe(true);
    expect(trie.filterCount).toBe(0);
  });

  test('looks at each node once for filters made to branch', () => {
    const trie = new FilterTrie<Subscriber>();
    const filters: string[] = [];
    for (let bits = 0; bits < 1024; bits += 1) {
      const levels = Array.from({ length: 10 }, (_, level) => ((bits >> level) & 1 ? '+' : 'a'));
      filters.push(`${levels.join('/')}/#`);
    }
    for (const [id, filter] of filters.entries()) trie.add(filter, { id });
    const name = 'a/'.repeat(120);
    expect(matchesOf(trie, name)).toHaveLength(1024);
    expect(filters.every((filter) => filterMatchesTopic(filter, name))).toBe(true);
  });
});
