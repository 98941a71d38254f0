import { type Auth, type Connect, ReasonCode } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { authenticationMethodOf, judgeAuth } from './enhanced-authentication.ts';

const DATA = Uint8Array.of(1, 2);
const BEGINNING = { method: 'M', underWay: true, connected: false };
const CONNECTED = { method: 'M', underWay: false, connected: true };
const AGAIN = { method: 'M', underWay: true, connected: true };

type State = Parameters<typeof judgeAuth>[1];

const CONTINUE = ReasonCode.continueAuthentication;
const RENEW = ReasonCode.reAuthenticate;

describe('an AUTH packet', () => {
  const legal: readonly (readonly [string, ReasonCode, State, boolean])[] = [
    ['0x18 answers ours before CONNACK (MQTT-5.0 [MQTT-4.12.0-3])', CONTINUE, BEGINNING, false],
    ['0x18 answers ours in a re-authentication', CONTINUE, AGAIN, false],
    ['0x19 begins a re-authentication (MQTT-5.0 [MQTT-4.12.1-1])', RENEW, CONNECTED, true],
  ];
  test.each(legal)('%s', (_why, reasonCode, state, restart) => {
    const properties = { authenticationMethod: 'M', authenticationData: DATA };
    const auth: Auth = { kind: 'auth', reasonCode, properties };
    expect(judgeAuth(auth, state)).toEqual({ verdict: 'advance', data: DATA, restart });
  });

  const { protocolError, badAuthenticationMethod, success } = ReasonCode;
  const illegal: readonly (readonly [string, ReasonCode, State, string | undefined, number])[] = [
    [
      'needs a method in CONNECT (MQTT-5.0 [MQTT-4.12.0-7])',
      CONTINUE,
      { ...CONNECTED, method: null },
      'M',
      protocolError,
    ],
    [
      'names the method of CONNECT (MQTT-5.0 [MQTT-4.12.0-5])',
      CONTINUE,
      BEGINNING,
      'N',
      badAuthenticationMethod,
    ],
    [
      'names some method (MQTT-5.0 [MQTT-4.12.0-5])',
      CONTINUE,
      BEGINNING,
      undefined,
      badAuthenticationMethod,
    ],
    ['of another method does not begin again', RENEW, CONNECTED, 'N', badAuthenticationMethod],
    ['0x18 answers something', CONTINUE, CONNECTED, 'M', protocolError],
    ['0x19 waits for CONNACK', RENEW, BEGINNING, 'M', protocolError],
    ['0x19 waits for the one under way', RENEW, AGAIN, 'M', protocolError],
    ['0x00 is for the server to send (MQTT-5.0 §3.15.2.1)', success, AGAIN, 'M', protocolError],
  ];
  test.each(illegal)('%s', (_why, reasonCode, state, method, expected) => {
    const properties = method === undefined ? {} : { authenticationMethod: method };
    const verdict = judgeAuth({ kind: 'auth', reasonCode, properties }, state);
    expect(verdict).toMatchObject({ verdict: 'refuse', reasonCode: expected });
  });

  test('without data brings none', () => {
    const properties = { authenticationMethod: 'M' };
    expect(judgeAuth({ kind: 'auth', reasonCode: CONTINUE, properties }, BEGINNING)).toMatchObject({
      data: null,
    });
  });
});

describe('a CONNECT', () => {
  test('asks for enhanced authentication by naming a method (MQTT-5.0 §3.1.2.11.9)', () => {
    const connect: Connect = {
      kind: 'connect',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      clientId: 'c',
      will: null,
      username: null,
      password: null,
      properties: {},
    };
    expect(authenticationMethodOf(connect)).toBeNull();
    const properties = { authenticationMethod: 'M' };
    expect(authenticationMethodOf({ ...connect, properties })).toBe('M');
  });
});
