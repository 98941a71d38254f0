import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NameTree } from './name-tree.ts';
import { anyFilter, anyName, expressionOf } from './topics.arbitrary.ts';

function namesOf(tree: NameTree<number>, filter: string): string[] {
  const found: string[] = [];
  tree.match(filter, (name, value) => {
    expect(tree.get(name)).toBe(value);
    found.push(name);
  });
  return found.sort();
}

const anyStep = fc.record({ name: anyName, value: fc.nat(), deletes: fc.boolean() });

describe('the name tree', () => {
  test('agrees with a map and regular expressions', () => {
    fc.assert(
      fc.property(
        fc.array(anyStep, { maxLength: 40 }),
        fc.array(anyFilter, { maxLength: 10 }),
        (steps, filters) => {
          const tree = new NameTree<number>();
          const twin = new Map<string, number>();
          for (const { name, value, deletes } of steps) {
            const before = twin.get(name);
            expect(tree.get(name)).toBe(before);
            expect(deletes ? tree.delete(name) : tree.set(name, value)).toBe(before);
            if (deletes) twin.delete(name);
            else twin.set(name, value);
            expect(tree.size).toBe(twin.size);
          }
          for (const filter of ['#', ...filters]) {
            const expected = [...twin.keys()].filter((name) => expressionOf(filter).test(name));
            expect(namesOf(tree, filter)).toEqual(expected.sort());
          }
        },
      ),
    );
  });

  test('a cursor delivers what stays once, and nothing that is gone', () => {
    fc.assert(
      fc.property(
        fc.array(anyName, { maxLength: 30 }),
        fc.array(fc.array(anyStep, { maxLength: 4 }), { maxLength: 30 }),
        anyFilter,
        (names, changes, filter) => {
          const tree = new NameTree<number>();
          for (const name of names) tree.set(name, 1);
          const touched = new Set(changes.flat().map(({ name }) => name));
          const cursor = tree.cursor(filter);
          const found: string[] = [];
          for (let page = 0; ; page += 1) {
            const entries = cursor.next(2);
            for (const [name, value] of entries) expect(tree.get(name)).toBe(value);
            found.push(...entries.map(([name]) => name));
            for (const { name, value, deletes } of changes[page] ?? []) {
              if (deletes) tree.delete(name);
              else tree.set(name, value);
            }
            if (entries.length < 2) break;
          }
          const staying = new Set(names.filter((name) => !touched.has(name)));
          const expected = [...staying].filter((name) => expressionOf(filter).test(name));
          expect(found.filter((name) => !touched.has(name)).sort()).toEqual(expected.sort());
          expect(found.every((name) => expressionOf(filter).test(name))).toBe(true);
        },
      ),
    );
  });

  test('a cursor at its end stays there', () => {
    const tree = new NameTree<number>();
    for (let index = 0; index < 5; index += 1) tree.set(`test/${index}`, index);
    const cursor = tree.cursor('test/+');
    expect(cursor.next(3)).toHaveLength(3);
    expect(cursor.next(3)).toHaveLength(2);
    expect(cursor.next(3)).toEqual([]);
  });

  test('bears a name of 65535 slashes', () => {
    const tree = new NameTree<number>();
    const deep = '/'.repeat(65_535);
    tree.set(deep, 1);
    expect(namesOf(tree, '#')).toEqual([deep]);
    expect(namesOf(tree, `${'+/'.repeat(65_535)}+`)).toEqual([deep]);
    expect(namesOf(tree, `${'/'.repeat(65_534)}+/`)).toEqual([deep]);
    expect(tree.delete(deep)).toBe(1);
    expect(tree.size).toBe(0);
  });
});
