import { describe, expect, test } from 'vitest';
import { connectVersionOf } from './connect.ts';
import { DECODE_FROM_CLIENT } from './decode-fault.ts';
import { decodePacket } from './decode-packet.ts';
import { decoded, frameOf, packet, properties } from './packet-bytes.fixture.ts';

const CONNECT = '10';
const V3 = '"MQIsdp" 03';
const V4 = '"MQTT" 04';
const V5 = '"MQTT" 05';

describe('a faulty CONNECT', () => {
  const rows = [
    ['"MQTX" 04 02 0000 ""', 0x84, 'MQTT-5.0 [MQTT-3.1.2-1]', 'another protocol name'],
    ['"MQIsdp" 04 02 0000 "a"', 0x84, 'MQTT-5.0 [MQTT-3.1.2-2]', '3.1 name, 3.1.1 level'],
    ['"MQTT" 03 02 0000 "a"', 0x84, 'MQTT-5.0 [MQTT-3.1.2-2]', '3.1.1 name, 3.1 level'],
    ['"MQTT" 06 02 0000 00 "a"', 0x84, 'MQTT-5.0 [MQTT-3.1.2-2]', 'a version to come'],
    ['"MQTT" 84 02 0000 "a"', 0x84, 'MQTT-5.0 [MQTT-3.1.2-2]', 'a bridge of another broker'],
    ['', 0x81, 'MQTT-5.0 §4.13.1', 'no body'],
    ['"MQTT"', 0x81, 'MQTT-5.0 §4.13.1', 'no level'],
    [V5, 0x81, 'MQTT-5.0 §4.13.1', 'no flags'],
    [`${V4} 03 0000 "a"`, 0x81, 'MQTT-3.1.1 [MQTT-3.1.2-3]', 'the reserved flag'],
    [`${V5} 03 0000 00 "a"`, 0x81, 'MQTT-5.0 [MQTT-3.1.2-3]', 'the reserved flag'],
    [`${V4} 0a 0000 "a"`, 0x81, 'MQTT-3.1.1 [MQTT-3.1.2-13]', 'will QoS without will'],
    [`${V5} 0a 0000 00 "a"`, 0x81, 'MQTT-5.0 [MQTT-3.1.2-11]', 'will QoS without will'],
    [`${V5} 22 0000 00 "a"`, 0x81, 'MQTT-5.0 [MQTT-3.1.2-13]', 'will retain without will'],
    [`${V4} 22 0000 "a"`, 0x81, 'MQTT-3.1.1 [MQTT-3.1.2-15]', 'will retain without will'],
    [`${V4} 1e 0000 "a" "t" "p"`, 0x81, 'MQTT-3.1.1 [MQTT-3.1.2-14]', 'will QoS 3'],
    [`${V5} 1e 0000 00 "a" 00 "t" "p"`, 0x81, 'MQTT-5.0 [MQTT-3.1.2-12]', 'will QoS 3'],
    [`${V4} 42 0000 "a" "p"`, 0x81, 'MQTT-3.1.1 [MQTT-3.1.2-22]', 'password, no user name'],
    [`${V4} 02 0000`, 0x81, 'MQTT-3.1.1 §4.8', 'no client identifier'],
    [`${V4} 02 0000 0001 ff`, 0x81, 'MQTT-3.1.1 [MQTT-1.5.3-1]', 'no UTF-8'],
    [`${V4} 02 0000 0001 00`, 0x81, 'MQTT-3.1.1 [MQTT-1.5.3-2]', 'U+0000'],
    [`${V4} 06 0000 "a" "t/+" "p"`, 0x90, 'MQTT-3.1.1 [MQTT-3.3.2-2]', 'a wildcard in the will'],
    [`${V5} 06 0000 00 "a" 00 "" "p"`, 0x90, 'MQTT-5.0 [MQTT-4.7.3-1]', 'an empty will topic'],
    [`${V4} 06 0000 "a" "t"`, 0x81, 'MQTT-3.1.1 §4.8', 'no will payload'],
    [`${V4} 82 0000 "a"`, 0x81, 'MQTT-3.1.1 §4.8', 'no user name, though announced'],
    [`${V4} 02 0000 "a" 00`, 0x81, 'MQTT-3.1.1 §4.8', 'a byte too many'],
    [`${V5} 02 0000 00 "a" 00`, 0x81, 'MQTT-5.0 §4.13.1', 'a byte too many'],
    [
      `${V5} 02 0000 ${properties('21 0000')} "a"`,
      0x82,
      'MQTT-5.0 §3.1.2.11.3',
      'receive maximum 0',
    ],
    [`${V5} 02 0000 ${properties('27 00000000')} "a"`, 0x82, 'MQTT-5.0 §3.1.2.11.4', 'size 0'],
    [`${V5} 02 0000 ${properties('17 02')} "a"`, 0x82, 'MQTT-5.0 §3.1.2.11.7', 'a boolean of 2'],
    [`${V5} 02 0000 ${properties('19 02')} "a"`, 0x82, 'MQTT-5.0 §3.1.2.11.6', 'a boolean of 2'],
    [`${V5} 02 0000 ${properties('16 "d"')} "a"`, 0x82, 'MQTT-5.0 §3.1.2.11.10', 'data, no method'],
    [`${V5} 02 0000 ${properties('21 0001 21 0001')} "a"`, 0x82, 'MQTT-5.0 §3.1.2.11.3', 'twice'],
    [
      `${V5} 02 0000 ${properties('11 00000001 11 00000001')} "a"`,
      0x82,
      'MQTT-5.0 §3.1.2.11.2',
      'twice',
    ],
    [`${V5} 02 0000 ${properties('18 00000001')} "a"`, 0x81, 'MQTT-5.0 §2.2.2.2', 'of the will'],
    [`${V5} 02 0000 ${properties('23 0001')} "a"`, 0x81, 'MQTT-5.0 §2.2.2.2', 'of PUBLISH'],
    [
      `${V5} 06 0000 00 "a" ${properties('11 00000001')} "t" "p"`,
      0x81,
      'MQTT-5.0 §2.2.2.2',
      'not of the will',
    ],
  ] as const;
  for (const [body, reasonCode, clause, why] of rows) {
    test(`(${body}) is answered with ${reasonCode}: ${why}`, () => {
      const result = decoded(packet(CONNECT, body), 4, 'fromClient');
      expect(result).toMatchObject({ reasonCode, clause });
    });
  }

  test('says what it found in the place of the protocol name or level', () => {
    const other = decoded(packet(CONNECT, '"HTTP" 04'), 4, 'fromClient');
    expect(other).toMatchObject({ reason: 'the protocol name is "HTTP", not "MQTT"' });
    const later = decoded(packet(CONNECT, '"MQTT" 06'), 4, 'fromClient');
    expect(later).toMatchObject({ reason: 'protocol MQTT level 6 is not supported' });
  });

  test('has a client identifier above the limit', () => {
    const bytes = packet(CONNECT, `${V5} 02 0000 00 "abcä"`);
    const at = (clientIdBytesMax: number) =>
      decodePacket(bytes, frameOf(bytes), 4, { ...DECODE_FROM_CLIENT, clientIdBytesMax });
    expect(at(5)).toMatchObject({ ok: true });
    expect(at(4)).toMatchObject({ fault: { reasonCode: 0x85, clause: 'MQTT-5.0 §3.1.3.1' } });
  });
});

describe('a legal CONNECT', () => {
  const rows = [
    [`${V3} 02 000a "id"`, { version: 3, clientId: 'id', keepAliveSeconds: 10 }, 'of 3.1'],
    [`${V3} c2 000a "id"`, { username: null, password: null }, '3.1 lets the length prevail'],
    [`${V3} c2 000a "id" "u"`, { username: 'u', password: null }, '3.1 lets the length prevail'],
    [`${V4} 00 0000 ""`, { version: 4, clientId: '', cleanStart: false }, 'judged by the session'],
    [`${V5} 42 0000 00 "" "p"`, { username: null, password: new Uint8Array([112]) }, '§3.1.2.9'],
    [`${V4} 02 0000 0003 efbbbf`, { clientId: '\ufeff' }, 'a BOM is kept [MQTT-1.5.4-3]'],
  ] as const;
  for (const [body, expected, why] of rows) {
    test(`(${body}) is decoded: ${why}`, () => {
      expect(decoded(packet(CONNECT, body), 4, 'fromClient')).toMatchObject(expected);
    });
  }

  test('shares no memory with its bytes', () => {
    const bytes = Buffer.from(packet(CONNECT, `${V4} c6 0000 "a" "t" "will" "u" "secret"`));
    const result = decoded(bytes, 4, 'fromClient');
    bytes.fill(0);
    expect(result).toMatchObject({
      will: { payload: new Uint8Array([0x77, 0x69, 0x6c, 0x6c]) },
      password: new Uint8Array([0x73, 0x65, 0x63, 0x72, 0x65, 0x74]),
    });
  });
});

describe('the version of a faulty CONNECT', () => {
  const rows = [
    [`${V3} 01`, 3, '3.1'],
    [`${V4} 01`, 4, '3.1.1'],
    [`${V5} 01`, 5, '5.0'],
    ['"MQTT" 06', 0, 'unsupported'],
    ['"MQTT"', 0, 'cut short'],
    ['00', 0, 'cut short'],
    ['', 0, 'nothing'],
    ['ffff 4d', 0, 'a name longer than the packet'],
  ] as const;
  for (const [body, version, why] of rows) {
    test(`(${body}) is ${version}: ${why}`, () => {
      const bytes = packet(CONNECT, body);
      expect(connectVersionOf(bytes, frameOf(bytes))).toBe(version);
    });
  }
});
