import { describe, expect, test } from 'vitest';
import { reasonCodeToConnectReturnCode } from './connect-return-code.ts';
import { reasonCodeName } from './reason-code-name.ts';

describe('the return code of a 3.1.1 CONNACK (MQTT-3.1.1 §3.2.2.3)', () => {
  const rows = [
    [0x00, 0, 'accepted'],
    [0x84, 1, 'the version'],
    [0x85, 2, 'the identifier'],
    [0x89, 3, 'busy is unavailable'],
    [0x86, 4, 'user name or password'],
    [0x87, 5, 'not authorized'],
    [0x8a, 5, 'banned is not authorized'],
    [0x81, null, 'malformed: close without a CONNACK'],
  ] as const;
  for (const [reasonCode, returnCode, why] of rows) {
    test(`is ${returnCode} for ${reasonCode}: ${why}`, () => {
      expect(reasonCodeToConnectReturnCode(reasonCode)).toBe(returnCode);
    });
  }
});

test('reason codes have names', () => {
  expect(reasonCodeName(0)).toBe('success');
  expect(reasonCodeName(1)).toBe('granted qos 1');
  expect(reasonCodeName(0x8e)).toBe('session taken over');
  expect(reasonCodeName(0xff)).toBe('reason code 0xff');
});
