import { describe, expect, test } from 'vitest';
import { SESSION_NEVER_EXPIRES } from './connect-negotiation.ts';
import {
  keepAliveDeadlineMs,
  sessionExpiresAtMs,
  sessionExpiryAtDisconnect,
  willDelayMs,
} from './session-expiry.ts';

describe('a DISCONNECT', () => {
  const cases: readonly (readonly [string, number, number | undefined, number, number | null])[] = [
    ['without an interval keeps the one of CONNECT', 60, undefined, 1000, 60],
    ['may shorten it', 60, 5, 1000, 5],
    ['may lengthen it, up to the cap', 60, 5000, 1000, 1000],
    ['may end the session at once', 60, 0, 1000, 0],
    [
      'may keep it for ever',
      60,
      SESSION_NEVER_EXPIRES,
      SESSION_NEVER_EXPIRES,
      SESSION_NEVER_EXPIRES,
    ],
    ['may say zero again', 0, 0, 1000, 0],
    ['may not make a session last that CONNECT did not (MQTT-5.0 §3.14.2.2.2)', 0, 1, 1000, null],
  ];
  test.each(cases)('%s', (_why, atConnect, wanted, maximum, expected) => {
    expect(sessionExpiryAtDisconnect(atConnect, wanted, maximum)).toEqual(
      expected === null
        ? { verdict: 'protocolError' }
        : { verdict: 'accept', sessionExpirySeconds: expected },
    );
  });
});

describe('a session', () => {
  test('ends when its interval has passed, at once, or never (MQTT-5.0 [MQTT-3.1.2-23], [MQTT-4.1.0-2])', () => {
    expect([0, 10, SESSION_NEVER_EXPIRES].map((each) => sessionExpiresAtMs(1000, each))).toEqual([
      1000,
      11_000,
      Number.POSITIVE_INFINITY,
    ]);
  });
});

describe('a will message', () => {
  const cases: readonly (readonly [string, number, number, number])[] = [
    ['waits for its delay', 5, 60, 5000],
    ['waits no longer than the session lasts', 60, 5, 5000],
    ['does not wait without a session', 60, 0, 0],
    ['does not wait without a delay', 0, 60, 0],
    ['waits for its delay when the session never ends', 60, SESSION_NEVER_EXPIRES, 60_000],
  ];
  test.each(cases)('%s (MQTT-5.0 [MQTT-3.1.2-8])', (_why, delay, expiry, expected) => {
    expect(willDelayMs(delay, expiry)).toBe(expected);
  });
});

describe('the keep alive', () => {
  test('is waited for one and a half times (MQTT-5.0 [MQTT-3.1.2-22])', () => {
    expect([1, 60, 65_535].map(keepAliveDeadlineMs)).toEqual([1500, 90_000, 98_302_500]);
  });
});
