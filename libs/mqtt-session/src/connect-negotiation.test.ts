import { type Connect, type Properties, ReasonCode, type Will } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import {
  type ConnectionTerms,
  negotiateConnect,
  type ServerOffer,
  SESSION_NEVER_EXPIRES,
} from './connect-negotiation.ts';

const EVERYTHING: ServerOffer = {
  minimumVersion: 3,
  maximumQos: 2,
  retainAvailable: true,
  wildcardSubscriptionAvailable: true,
  subscriptionIdentifiersAvailable: true,
  sharedSubscriptionAvailable: true,
  maximumPacketSizeBytes: 1000,
  receiveMaximum: 65_535,
  topicAliasMaximum: 0,
  topicAliasMaximumOutbound: 0,
  serverKeepAliveSeconds: 0,
  keepAliveSecondsMax: 0,
  sessionExpirySecondsMax: SESSION_NEVER_EXPIRES,
  responseInformation: '',
  clientIdBytesMax: 23,
  inflightMessagesMax: 65_535,
};

const CONNECT: Connect = {
  kind: 'connect',
  version: 5,
  cleanStart: true,
  keepAliveSeconds: 60,
  clientId: 'c',
  will: null,
  username: null,
  password: null,
  properties: {},
};

const WILL: Will = {
  topic: 'w',
  payload: new Uint8Array(0),
  qos: 0,
  retain: false,
  properties: {},
};

function termsOf(connect: Partial<Connect>, offer: Partial<ServerOffer>): ConnectionTerms {
  const outcome = negotiateConnect({ ...CONNECT, ...connect }, { ...EVERYTHING, ...offer });
  if (outcome.verdict === 'refuse') throw new Error(outcome.reason);
  return outcome.terms;
}

function refusalOf(connect: Partial<Connect>, offer: Partial<ServerOffer>): number | null {
  const outcome = negotiateConnect({ ...CONNECT, ...connect }, { ...EVERYTHING, ...offer });
  return outcome.verdict === 'refuse' ? outcome.reasonCode : null;
}

describe('a CONNECT is refused', () => {
  const { unsupportedProtocolVersion, clientIdentifierNotValid } = ReasonCode;
  const { qosNotSupported, retainNotSupported } = ReasonCode;
  const empty = { clientId: '', cleanStart: false } as const;
  const cases: readonly (readonly [
    why: string,
    connect: Partial<Connect>,
    offer: Partial<ServerOffer>,
    reasonCode: number | null,
  ])[] = [
    [
      'below the lowest version that is offered (MQTT-5.0 [MQTT-3.1.2-2])',
      { version: 4 },
      { minimumVersion: 5 },
      unsupportedProtocolVersion,
    ],
    ['not at the lowest version', { version: 4 }, { minimumVersion: 4 }, null],
    [
      'of 3.1.1 without an identifier for a session that lasts (MQTT-3.1.1 [MQTT-3.1.3-8])',
      { version: 4, ...empty },
      {},
      clientIdentifierNotValid,
    ],
    ['not of 3.1.1 without one when the session is clean', { version: 4, clientId: '' }, {}, null],
    ['not of 5.0 without one: it gets one (MQTT-5.0 [MQTT-3.1.3-6])', empty, {}, null],
    [
      'with an identifier that is too long (MQTT-5.0 [MQTT-3.1.3-8])',
      { clientId: 'c'.repeat(24) },
      {},
      clientIdentifierNotValid,
    ],
    [
      'not with 23 letters and digits (MQTT-5.0 [MQTT-3.1.3-5])',
      { clientId: '0123456789abcdefghiXYZW' },
      {},
      null,
    ],
    ['not with 23 bytes of longer characters', { clientId: `${'é'.repeat(10)}€` }, {}, null],
    ['with 24 bytes in 8 characters', { clientId: '€'.repeat(8) }, {}, clientIdentifierNotValid],
    ['with 24 bytes in 6 characters', { clientId: '😀'.repeat(6) }, {}, clientIdentifierNotValid],
    [
      'with a will of a QoS that is not offered (MQTT-5.0 [MQTT-3.2.2-12])',
      { will: { ...WILL, qos: 2 } },
      { maximumQos: 1 },
      qosNotSupported,
    ],
    ['not with a will of the maximum QoS', { will: { ...WILL, qos: 1 } }, { maximumQos: 1 }, null],
    [
      'with a retained will where none is kept (MQTT-5.0 [MQTT-3.2.2-13])',
      { will: { ...WILL, retain: true } },
      { retainAvailable: false },
      retainNotSupported,
    ],
    ['not with another will there', { will: WILL }, { retainAvailable: false }, null],
  ];
  test.each(cases)('%s', (_why, connect, offer, reasonCode) => {
    expect(refusalOf(connect, offer)).toBe(reasonCode);
  });
});

describe('the keep alive in force', () => {
  const cases: readonly (readonly [string, 4 | 5, number, Partial<ServerOffer>, number])[] = [
    ["is the client's (MQTT-5.0 [MQTT-3.2.2-22])", 5, 60, {}, 60],
    ['may be none (MQTT-5.0 §3.1.2.10)', 5, 0, {}, 0],
    [
      "is the server's when it has one (MQTT-5.0 §3.2.2.3.14)",
      5,
      60,
      { serverKeepAliveSeconds: 7 },
      7,
    ],
    ['is its own when that is shorter', 5, 5, { serverKeepAliveSeconds: 7 }, 5],
    ['of 3.1.1, which can not be told, stays', 4, 60, { serverKeepAliveSeconds: 7 }, 60],
    ['is below the cap as it is', 5, 60, { keepAliveSecondsMax: 60 }, 60],
    ['is cut at the cap', 5, 61, { keepAliveSecondsMax: 60 }, 60],
    ['is the cap for a client without', 5, 0, { keepAliveSecondsMax: 60 }, 60],
    [
      'is cut for 3.1.1 too: the operator wants no longer silence',
      4,
      61,
      { keepAliveSecondsMax: 60 },
      60,
    ],
  ];
  test.each(cases)('%s', (_why, version, wanted, offer, expected) => {
    const terms = termsOf({ version, keepAliveSeconds: wanted }, offer);
    expect(terms.keepAliveSeconds).toBe(expected);
    const told = terms.connackProperties.serverKeepAliveSeconds;
    expect(told).toBe(version === 5 && expected !== wanted ? expected : undefined);
  });
});

describe('the session expiry interval in force', () => {
  const never = SESSION_NEVER_EXPIRES;
  const asks = (sessionExpiryIntervalSeconds: number): Partial<Connect> => ({
    properties: { sessionExpiryIntervalSeconds },
  });
  const cases: readonly (readonly [
    string,
    Partial<Connect>,
    number,
    number,
    number | undefined,
  ])[] = [
    ['is none when nothing is said (MQTT-5.0 §3.1.2.11.2)', {}, never, 0, undefined],
    ["is the client's", asks(60), never, 60, undefined],
    ['may be for ever', asks(never), never, never, undefined],
    ['is cut, and the client is told (MQTT-5.0 §3.2.2.3.2)', asks(never), 60, 60, 60],
    ['may be cut to nothing', asks(60), 0, 0, 0],
    ['of 3.1.1 is none for a clean session', { version: 4 }, never, 0, undefined],
    ['of 3.1.1 is for ever else', { version: 4, cleanStart: false }, never, never, undefined],
    ['of 3.1.1 is cut without a word', { version: 4, cleanStart: false }, 60, 60, undefined],
  ];
  test.each(cases)('%s', (_why, connect, sessionExpirySecondsMax, expected, told) => {
    const terms = termsOf(connect, { sessionExpirySecondsMax });
    expect(terms.sessionExpirySeconds).toBe(expected);
    expect(terms.connackProperties.sessionExpiryIntervalSeconds).toBe(told);
  });
});

describe('towards the client', () => {
  const cases: readonly (readonly [
    why: string,
    properties: Properties,
    offer: Partial<ServerOffer>,
    terms: Partial<ConnectionTerms>,
  ])[] = [
    ['65,535 messages may be open (MQTT-5.0 §3.1.2.11.3)', {}, {}, { sendMaximum: 65_535 }],
    [
      'no more than its Receive Maximum (MQTT-5.0 [MQTT-4.9.0-1])',
      { receiveMaximum: 5 },
      { inflightMessagesMax: 10 },
      { sendMaximum: 5 },
    ],
    ['no more than ours', { receiveMaximum: 50 }, { inflightMessagesMax: 10 }, { sendMaximum: 10 }],
    [
      'packets are as large as the protocol allows (MQTT-5.0 §3.1.2.11.4)',
      {},
      {},
      { maximumPacketSizeOutbound: 268_435_460 },
    ],
    [
      'or as it allows (MQTT-5.0 [MQTT-3.1.2-24])',
      { maximumPacketSizeBytes: 20 },
      {},
      { maximumPacketSizeOutbound: 20 },
    ],
    [
      'no alias without its word (MQTT-5.0 [MQTT-3.1.2-27])',
      {},
      { topicAliasMaximumOutbound: 10 },
      { topicAliasMaximumOutbound: 0 },
    ],
    [
      'as many aliases as both allow (MQTT-5.0 [MQTT-3.1.2-26])',
      { topicAliasMaximum: 5 },
      { topicAliasMaximumOutbound: 10 },
      { topicAliasMaximumOutbound: 5 },
    ],
    [
      'no more aliases than ours',
      { topicAliasMaximum: 50 },
      { topicAliasMaximumOutbound: 10 },
      { topicAliasMaximumOutbound: 10 },
    ],
    ['reasons are told', {}, {}, { requestProblemInformation: true }],
    [
      'unless it wants none (MQTT-5.0 [MQTT-3.1.2-29])',
      { requestProblemInformation: false },
      {},
      { requestProblemInformation: false },
    ],
  ];
  test.each(cases)('%s', (_why, properties, offer, terms) => {
    expect(termsOf({ properties }, offer)).toMatchObject(terms);
  });
});

describe('CONNACK', () => {
  test('tells a 5.0 client the packet size, and nothing that is as the standard assumes', () => {
    expect(termsOf({}, {}).connackProperties).toEqual({ maximumPacketSizeBytes: 1000 });
    expect(termsOf({ version: 4 }, { maximumQos: 0 }).connackProperties).toEqual({});
  });

  const cases: readonly (readonly [string, Partial<ServerOffer>, Properties])[] = [
    ['the maximum QoS (MQTT-5.0 [MQTT-3.2.2-9])', { maximumQos: 1 }, { maximumQos: 1 }],
    ['that nothing is retained', { retainAvailable: false }, { retainAvailable: false }],
    ['the Receive Maximum', { receiveMaximum: 9 }, { receiveMaximum: 9 }],
    ['the Topic Alias Maximum', { topicAliasMaximum: 9 }, { topicAliasMaximum: 9 }],
    [
      'that wildcards are not available',
      { wildcardSubscriptionAvailable: false },
      { wildcardSubscriptionAvailable: false },
    ],
    [
      'that identifiers are not available',
      { subscriptionIdentifiersAvailable: false },
      { subscriptionIdentifiersAvailable: false },
    ],
    [
      'that shared subscriptions are not available',
      { sharedSubscriptionAvailable: false },
      { sharedSubscriptionAvailable: false },
    ],
  ];
  test.each(cases)('tells %s', (_why, offer, properties) => {
    expect(termsOf({}, offer).connackProperties).toEqual({
      maximumPacketSizeBytes: 1000,
      ...properties,
    });
  });

  test('carries response information only on request (MQTT-5.0 [MQTT-3.1.2-28])', () => {
    const responseInformation = 'reply/';
    const told = [true, false, undefined].map((requested) => {
      const properties = requested === undefined ? {} : { requestResponseInformation: requested };
      return termsOf({ properties }, { responseInformation }).connackProperties.responseInformation;
    });
    expect(told).toEqual(['reply/', undefined, undefined]);
  });
});
