import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from './routing.fixture.ts';
import { type Topic, TopicTable } from './topic-table.ts';

function add(table: TopicTable, name: string): Topic {
  return table.add(name, utf8(name));
}

function find(table: TopicTable, name: string): Topic | null {
  return table.find(utf8(name));
}

/** Names that all fall into one bucket of 1024, found by trying. */
function collidingNames(count: number): string[] {
  const names: string[] = [];
  const table = new TopicTable(1);
  for (let index = 0; names.length < count; index += 1) {
    const probe = add(table, `n${index}`);
    if ((probe.hash & 1023) === 0) names.push(probe.name);
  }
  return names;
}

describe('the table of topics', () => {
  test('finds a name in the middle of a buffer, by its bytes alone (MQTT-5.0 [MQTT-4.7.3-4])', () => {
    const table = new TopicTable(100);
    const topic = add(table, 'größe/a');
    expect(find(table, 'größe/a'.normalize('NFD'))).toBeNull();
    const buffer = utf8('..größe/a/b');
    expect(table.lookup(buffer, 2, topic.bytes.length)).toBe(topic);
    expect(table.lookup(buffer, 2, topic.bytes.length - 1)).toBeNull();
    expect(table.lookup(buffer, 1, topic.bytes.length)).toBeNull();
  });

  test('tells the names that only the broker publishes to', () => {
    const table = new TopicTable(100);
    const reserved = ['$SYS/a', '$SYS', '$sys/a', 'a/$SYS/b'].map(
      (name) => add(table, name).reserved,
    );
    expect(reserved).toEqual([true, false, false, false]);
  });

  test('agrees with a Map while it has room, across several growths', () => {
    const name = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(name, { maxLength: 200 }), fc.integer({ min: 0 }), (names, salt) => {
        const table = new TopicTable(10_000);
        const model = new Map<string, Topic>();
        // Enough others that the buckets double at least once.
        const others = Array.from({ length: 1100 }, (_, index) => `${salt}/${index}`);
        for (const each of [...names, ...others]) {
          const known = find(table, each);
          expect(known).toBe(model.get(each) ?? null);
          if (known === null) model.set(each, add(table, each));
        }
        expect(table.size).toBe(model.size);
        for (const [each, topic] of model) expect(find(table, each)).toBe(topic);
      }),
      { numRuns: 20 },
    );
  });

  test('never holds more than its maximum, and drops unused names first', () => {
    const table = new TopicTable(64);
    const hot = add(table, 'hot');
    for (let index = 0; index < 2000; index += 1) {
      add(table, `cold/${index}`);
      expect(table.size).toBeLessThanOrEqual(64);
      expect(find(table, 'hot')).toBe(hot);
    }
  });

  test('works with room for a single name', () => {
    const table = new TopicTable(1);
    add(table, 'a');
    const b = add(table, 'b');
    expect([find(table, 'a'), find(table, 'b'), table.size]).toEqual([null, b, 1]);
  });

  test('marks what it forgets, without its match, and takes it back', () => {
    const table = new TopicTable(1);
    const a = add(table, 'a');
    a.match = { live: [], durable: [], shared: [], sharedDurable: false };
    const b = add(table, 'b');
    expect([a.forgotten, a.match]).toEqual([true, null]);
    expect(table.recall(a)).toBe(a);
    expect([a.forgotten, b.forgotten, table.size]).toEqual([false, true, 1]);
    expect(find(table, 'a')).toBe(a);
  });

  test('answers for a forgotten topic with the one that took its place', () => {
    const table = new TopicTable(1);
    const old = add(table, 'a');
    add(table, 'b');
    const present = add(table, 'a');
    expect(table.recall(old)).toBe(present);
    expect(old.forgotten).toBe(true);
  });

  test('bounds a bucket, so that names made to collide slow nobody down', () => {
    const table = new TopicTable(10_000);
    const names = collidingNames(200);
    for (const name of names) add(table, name);
    expect(table.size).toBeLessThanOrEqual(32);
    expect(names.filter((name) => find(table, name) !== null)).toHaveLength(table.size);
  });

  test('has a name that may come only once from its second time on', () => {
    const table = new TopicTable(10);
    const first = table.addIfRepeated(utf8('ä/b'));
    expect([first.passing, first.name, table.size]).toEqual([true, 'ä/b', 0]);
    expect(table.find(utf8('ä/b'))).toBeNull();
    const second = table.addIfRepeated(utf8('ä/b'));
    expect([second.passing, table.size, table.find(utf8('ä/b'))]).toEqual([false, 1, second]);
  });
});
