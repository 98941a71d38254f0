import { describe, expect, test } from 'vitest';
import { InboundAliases, OutboundAliases } from './topic-aliases.ts';

describe('aliases that a client sets', () => {
  test('are legal from 1 to the maximum that was announced (MQTT-5.0 [MQTT-3.3.2-8], [MQTT-3.3.2-12])', () => {
    const aliases = new InboundAliases<string>(3);
    expect([0, 1, 3, 4, 65_535].map((alias) => aliases.isLegal(alias))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(new InboundAliases<string>(0).isLegal(1)).toBe(false);
  });

  test('stand for a topic from the packet on that names it, and may be set anew (MQTT-5.0 §3.3.2.3.4)', () => {
    const aliases = new InboundAliases<string>(3);
    expect(aliases.get(2)).toBeUndefined();
    aliases.set(2, 'a');
    expect([aliases.get(2), aliases.get(1), aliases.get(3)]).toEqual(['a', undefined, undefined]);
    aliases.set(2, 'b');
    expect(aliases.get(2)).toBe('b');
  });
});

describe('aliases that the broker sets', () => {
  test('are given to the first topics, up to the maximum of the client (MQTT-5.0 [MQTT-3.1.2-26], [MQTT-3.3.2-11])', () => {
    const aliases = new OutboundAliases<object>(2);
    const [a, b, c] = [{}, {}, {}];
    expect([aliases.known(a), aliases.next]).toEqual([0, 1]);
    aliases.assign(a);
    expect([aliases.known(a), aliases.known(b), aliases.next]).toEqual([1, 0, 2]);
    aliases.assign(b);
    expect([aliases.known(a), aliases.known(b), aliases.known(c)]).toEqual([1, 2, 0]);
    expect(aliases.next).toBe(0);
  });

  test('are none for a client that allows none (MQTT-5.0 [MQTT-3.1.2-27])', () => {
    expect(new OutboundAliases<object>(0).next).toBe(0);
  });
});
