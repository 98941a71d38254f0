import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterMatchesTopic } from './filter-match.ts';
import { filterCovers, filtersOverlap } from './filter-relation.ts';
import { FilterTrie } from './filter-trie.ts';
import { NameTree } from './name-tree.ts';
import { parseSubscriptionFilter } from './subscription-filter.ts';
import { hasWildcard, parseTopicFilter } from './topic-filter.ts';
import { parseTopicName } from './topic-name.ts';
import { anyFilter, anyName, expressionOf } from './topics.arbitrary.ts';

const limits = { topicBytesMax: 20, topicLevelsMax: 4 };

describe('a topic filter (MQTT-5.0 §4.7.1)', () => {
  const rows = [
    ['a', 'ok', 'one level'],
    ['/', 'ok', 'two empty levels'],
    ['#', 'ok', 'everything'],
    ['sport/tennis/#', 'ok', 'the example of §4.7.1.2'],
    ['+/tennis/#', 'ok', 'the example of §4.7.1.3'],
    ['sport/+/player1', 'ok', 'the example of §4.7.1.3'],
    ['', 'TOPIC_EMPTY', '[MQTT-4.7.3-1]'],
    ['sport/tennis#', 'TOPIC_WILDCARD_NOT_WHOLE_LEVEL', 'the example of §4.7.1.2'],
    ['a/#/b', 'TOPIC_HASH_NOT_LAST', '[MQTT-4.7.1-1]'],
    ['a/#/', 'TOPIC_HASH_NOT_LAST', 'an empty level follows'],
    ['sport+', 'TOPIC_WILDCARD_NOT_WHOLE_LEVEL', '[MQTT-4.7.1-2]'],
    ['++', 'TOPIC_WILDCARD_NOT_WHOLE_LEVEL', 'a wildcard beside a wildcard'],
    ['#a', 'TOPIC_WILDCARD_NOT_WHOLE_LEVEL', 'text behind the wildcard'],
    ['a\0', 'TOPIC_HAS_NUL', '[MQTT-4.7.3-2]'],
    ['a/b/c/d', 'ok', 'as many levels as allowed'],
    ['a/b/c/d/', 'TOPIC_TOO_MANY_LEVELS', 'one level more'],
    ['x'.repeat(20), 'ok', 'as many bytes as allowed'],
    ['x'.repeat(21), 'TOPIC_TOO_LONG', 'one byte more'],
    ['é'.repeat(10), 'ok', 'two bytes each'],
    ['é'.repeat(11), 'TOPIC_TOO_LONG', 'two bytes each, one too many'],
    ['€'.repeat(7), 'TOPIC_TOO_LONG', 'three bytes each'],
    ['😀'.repeat(5), 'ok', 'four bytes each'],
    ['😀'.repeat(6), 'TOPIC_TOO_LONG', 'four bytes each, one too many'],
  ] as const;
  test.each(rows)('%j is %s: %s', (text, expected) => {
    const parsed = parseTopicFilter(text, limits);
    expect(parsed.ok ? 'ok' : parsed.fault.code).toBe(expected);
  });
});

describe('a topic name (MQTT-5.0 §4.7.3)', () => {
  const rows = [
    ['a b/c', 'ok', 'a blank is a character'],
    ['/', 'ok', 'two empty levels'],
    ['$SYS/x', 'ok', 'the server decides who may publish there'],
    ['', 'TOPIC_EMPTY', '[MQTT-4.7.3-1]'],
    ['a/+', 'TOPIC_HAS_WILDCARD', '[MQTT-3.3.2-2]'],
    ['a#b', 'TOPIC_HAS_WILDCARD', '[MQTT-3.3.2-2]'],
    ['\0', 'TOPIC_HAS_NUL', '[MQTT-4.7.3-2]'],
    ['////', 'TOPIC_TOO_MANY_LEVELS', 'five levels'],
    ['x'.repeat(21), 'TOPIC_TOO_LONG', 'one byte more'],
  ] as const;
  test.each(rows)('%j is %s: %s', (text, expected) => {
    const parsed = parseTopicName(text, limits);
    expect(parsed.ok ? 'ok' : parsed.fault.code).toBe(expected);
  });
});

describe('the filter of a SUBSCRIBE (MQTT-5.0 §4.8.2)', () => {
  const rows = [
    ['a/b', null, 'a/b', 'not shared'],
    ['$share/g/a/+', 'g', 'a/+', 'shared'],
    ['$share/g//a', 'g', '/a', 'the filter starts with an empty level'],
    ['$queue/a/#', '$queue', 'a/#', 'the older form'],
    ['$share', null, '$share', 'no slash: an ordinary filter'],
    ['$shared/g/a', null, '$shared/g/a', 'another first level'],
  ] as const;
  test.each(rows)('%j has share %j and filter %j: %s', (text, shareName, filter) => {
    expect(parseSubscriptionFilter(text, limits)).toEqual({
      ok: true,
      value: { shareName, filter },
    });
  });

  const faults = [
    ['$share/', 'TOPIC_SHARE_NAME_INVALID', '[MQTT-4.8.2-1]'],
    ['$share//a', 'TOPIC_SHARE_NAME_INVALID', '[MQTT-4.8.2-1]'],
    ['$share/g+/a', 'TOPIC_SHARE_NAME_INVALID', '[MQTT-4.8.2-2]'],
    ['$share/#', 'TOPIC_SHARE_NAME_INVALID', '[MQTT-4.8.2-2]'],
    ['$share/g', 'TOPIC_EMPTY', '[MQTT-4.8.2-2]: a filter follows'],
    ['$share/g/', 'TOPIC_EMPTY', '[MQTT-4.8.2-2]: a filter follows'],
    ['$queue/', 'TOPIC_EMPTY', 'a filter follows'],
    ['$share/g/#/a', 'TOPIC_HASH_NOT_LAST', 'the filter is checked'],
  ] as const;
  test.each(faults)('%j is refused with %s: %s', (text, code) => {
    const parsed = parseSubscriptionFilter(text, limits);
    expect(parsed.ok ? 'ok' : parsed.fault.code).toBe(code);
  });
});

describe('matching (MQTT-5.0 §4.7)', () => {
  const rows = [
    ['sport/tennis/player1/#', 'sport/tennis/player1', true, '§4.7.1.2'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true, '§4.7.1.2'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true, '§4.7.1.2'],
    ['sport/tennis/player1/#', 'sport/tennis/player12', false, 'a level is compared whole'],
    ['sport/#', 'sport', true, '§4.7.1.2: # includes the parent level'],
    ['sport/tennis/+', 'sport/tennis/player1', true, '§4.7.1.3'],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false, '§4.7.1.3: one level only'],
    ['sport/+', 'sport', false, '§4.7.1.3'],
    ['sport/+', 'sport/', true, '§4.7.1.3: an empty level is a level'],
    ['+/+', '/finance', true, '§4.7.1.3'],
    ['/+', '/finance', true, '§4.7.1.3'],
    ['+', '/finance', false, '§4.7.1.3'],
    ['#', '$SYS/uptime', false, '§4.7.2'],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false, '§4.7.2'],
    ['$SYS/#', '$SYS/uptime', true, '§4.7.2'],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true, '§4.7.2'],
    ['a/+', 'a/$b', true, 'only the first level is special'],
    ['ACCOUNTS', 'Accounts', false, '§4.7.3: case matters'],
    ['/finance', 'finance', false, '§4.7.3: a leading slash makes another topic'],
    ['a', 'ab', false, 'a beginning is not enough'],
    ['ab', 'a', false, 'an end is not enough'],
    ['a/b', 'a', false, 'fewer levels'],
    ['+/#', 'a', true, '# includes the parent level, which + matches'],
    ['a/+/#', 'a', false, '+ needs a level'],
  ] as const;
  test.each(rows)('%s and %s: %s (%s)', (filter, name, expected) => {
    expect(filterMatchesTopic(filter, name)).toBe(expected);
    expect(expressionOf(filter).test(name)).toBe(expected);
    const trie = new FilterTrie<object>();
    trie.add(filter, {});
    let visits = 0;
    trie.match(name, () => {
      visits += 1;
    });
    expect(visits).toBe(expected ? 1 : 0);
    const tree = new NameTree<number>();
    tree.set(name, 1);
    expect(tree.cursor(filter).next(2)).toEqual(expected ? [[name, 1]] : []);
  });

  test('agrees with regular expressions', () => {
    fc.assert(
      fc.property(anyFilter, anyName, (filter, name) => {
        expect(filterMatchesTopic(filter, name)).toBe(expressionOf(filter).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test('a filter without a wildcard is one that any name may be', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        expect(hasWildcard(filter)).toBe(/[+#]/.test(filter));
      }),
    );
  });
});

/** The empty name, and every name of up to four levels over the filters' letters and one more. */
const universe: readonly string[] = (() => {
  const letters = ['', 'a', 'b', '$s', 'other'];
  const names: string[] = [];
  let longest = letters;
  for (let levels = 1; levels <= 4; levels += 1) {
    names.push(...longest);
    longest = longest.flatMap((name) => letters.map((letter) => `${name}/${letter}`));
  }
  return names;
})();

/** Of up to three levels: names one level longer are enough to tell filters apart. */
const shortFilter = anyFilter.filter((filter) => /^[^/]{0,2}(\/[^/]{0,2}){0,2}$/.test(filter));

describe('relations of filters', () => {
  test('one covers another when it matches every name the other matches', () => {
    fc.assert(
      fc.property(shortFilter, shortFilter, (wide, narrow) => {
        const expected = universe.every(
          (name) => !filterMatchesTopic(narrow, name) || filterMatchesTopic(wide, name),
        );
        expect(filterCovers(wide, narrow)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test('two overlap when a name is matched by both', () => {
    fc.assert(
      fc.property(shortFilter, shortFilter, (left, right) => {
        const expected = universe.some(
          (name) => filterMatchesTopic(left, name) && filterMatchesTopic(right, name),
        );
        expect(filtersOverlap(left, right)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  const covering = [
    ['#', 'a/+', true, 'everything'],
    ['#', '$SYS/#', false, 'leading wildcards spare $'],
    ['+/#', '#', true, 'a name has a first level'],
    ['+/+/#', '#', false, 'a name may have one level only'],
    ['a/#', 'a', true, 'the parent level'],
    ['a/+/#', 'a/#', false, 'a itself is not covered'],
    ['a/+', 'a/b', true, 'a literal under +'],
    ['a/b', 'a/+', false, '+ is more than a literal'],
  ] as const;
  test.each(covering)('%s covers %s: %s (%s)', (wide, narrow, expected) => {
    expect(filterCovers(wide, narrow)).toBe(expected);
  });
});
