import { describe, expect, test } from 'vitest';
import { decoded, packet, properties } from './packet-bytes.fixture.ts';

describe('a faulty SUBSCRIBE, UNSUBSCRIBE, DISCONNECT or AUTH of a client', () => {
  const rows = [
    ['82', '0001', 4, 0x82, '[MQTT-3.8.3-3]', 'no filter'],
    ['82', '0001 00', 5, 0x82, '[MQTT-3.8.3-2]', 'no filter'],
    ['82', '0000 "a" 00', 4, 0x82, '[MQTT-2.3.1-1]', 'packet identifier 0'],
    ['82', '0001 "a"', 4, 0x81, '§4.8', 'no QoS'],
    ['82', '0001 "a" 03', 4, 0x82, '[MQTT-3-8.3-4]', 'QoS 3'],
    ['82', '0001 "a" 04', 4, 0x81, '[MQTT-3-8.3-4]', 'reserved bits'],
    ['82', '0001 00 "a" 03', 5, 0x82, '§3.8.3.1', 'QoS 3'],
    ['82', '0001 00 "a" 30', 5, 0x82, '§3.8.3.1', 'retain handling 3'],
    ['82', '0001 00 "a" 40', 5, 0x81, '[MQTT-3.8.3-5]', 'reserved bits'],
    ['82', '0001 00 "a" 80', 5, 0x81, '[MQTT-3.8.3-5]', 'reserved bits'],
    ['82', '0001 00 "$share/g/a" 04', 5, 0x82, '[MQTT-3.8.3-4]', 'no local, shared'],
    ['82', '0001 00 0001 ff 00', 5, 0x81, '[MQTT-1.5.4-1]', 'no UTF-8'],
    ['82', '0001 00 0001 00 00', 5, 0x81, '[MQTT-1.5.4-2]', 'U+0000'],
    ['82', `0001 ${properties('0b 00')} "a" 00`, 5, 0x82, '§3.8.2.1.2', 'identifier 0'],
    ['82', `0001 ${properties('0b 01 0b 02')} "a" 00`, 5, 0x82, '§3.8.2.1.2', 'two identifiers'],
    ['82', `0001 ${properties('1f "a"')} "a" 00`, 5, 0x81, '§2.2.2.2', 'a property of answers'],
    ['a2', '0001', 4, 0x82, '[MQTT-3.10.3-2]', 'no filter'],
    ['a2', '0001 00', 5, 0x82, '[MQTT-3.10.3-2]', 'no filter'],
    ['a2', '0000 00 "a"', 5, 0x82, '[MQTT-2.2.1-3]', 'packet identifier 0'],
    ['a2', '0001 00 0004 61', 5, 0x81, '§4.13.1', 'a filter cut short'],
    ['e0', '00', 4, 0x81, '§4.8', 'a body before 5.0'],
    ['e0', '01', 5, 0x82, '[MQTT-3.14.2-1]', 'an undefined reason code'],
    ['e0', '8e', 5, 0x82, '§3.14.2.1', 'a code of servers'],
    ['e0', '00 00 00', 5, 0x81, '§4.13.1', 'a byte too many'],
    ['e0', `00 ${properties('21 0001')}`, 5, 0x81, '§2.2.2.2', 'a property of CONNECT'],
    ['f0', '', 5, 0x82, '§3.15.2.1', 'success is for servers'],
    ['f0', '18', 5, 0x81, '[MQTT-1.5.5-1]', 'no property length'],
    ['f0', '18 00', 5, 0x82, '§3.15.2.2.2', 'no method'],
    ['f0', `01 ${properties('15 "m"')}`, 5, 0x82, '[MQTT-3.15.2-1]', 'an undefined reason code'],
    ['f0', `18 ${properties('15 "m" 15 "m"')}`, 5, 0x82, '§3.1.2.11.9', 'two methods'],
  ] as const;
  for (const [header, body, version, reasonCode, clause, why] of rows) {
    test(`${header} (${body}) of version ${version} is refused: ${why}`, () => {
      expect(decoded(packet(header, body), version, 'fromClient')).toMatchObject({
        reasonCode,
        clause: `MQTT-${version === 5 ? '5.0' : '3.1.1'} ${clause}`,
      });
    });
  }
});

describe('what looks odd and is legal', () => {
  const subscription = { filter: 'a/#/b', qos: 1, noLocal: true, retainAsPublished: true };
  const rows = [
    [
      '82',
      '0001 00 "a/#/b" 2d',
      5,
      'fromClient',
      { subscriptions: [{ ...subscription, retainHandling: 2 }] },
      'filters are judged elsewhere',
    ],
    [
      '82',
      '0001 00 "" 00',
      5,
      'fromClient',
      { subscriptions: [{ filter: '' }] },
      'filters are judged elsewhere',
    ],
    ['e0', '', 5, 'fromClient', { kind: 'disconnect', reasonCode: 0 }, 'no body, §3.14.2.1'],
    ['e0', '04', 5, 'fromClient', { reasonCode: 4 }, 'no property length, §3.14.2.2.1'],
    ['e0', '', 4, 'fromClient', { kind: 'disconnect', reasonCode: 0 }, 'the form of 3.1.1'],
    ['e0', '8e 00', 5, 'fromServer', { reasonCode: 0x8e }, 'a code of servers'],
    ['f0', '', 5, 'fromServer', { kind: 'auth', reasonCode: 0 }, 'no body, §3.15.2.1'],
  ] as const;
  for (const [header, body, version, direction, expected, why] of rows) {
    test(`${header} (${body}) of version ${version} is decoded: ${why}`, () => {
      expect(decoded(packet(header, body), version, direction)).toMatchObject(expected);
    });
  }

  test('but not session expiry in the DISCONNECT of a server (MQTT-5.0 [MQTT-3.14.2-2])', () => {
    const bytes = packet('e0', `8e ${properties('11 00000001')}`);
    const clause = 'MQTT-5.0 [MQTT-3.14.2-2]';
    expect(decoded(bytes, 5, 'fromServer')).toMatchObject({ reasonCode: 0x82, clause });
  });
});
