import { describe, expect, test } from 'vitest';
import { encodePacket } from './encode-packet.ts';
import { NO_PROPERTIES } from './properties.ts';
import { decoded, packet, properties } from './packet-bytes.fixture.ts';

describe('a faulty CONNACK, SUBACK or UNSUBACK', () => {
  const rows = [
    ['20', '02 00 00', 5, 0x81, '[MQTT-3.2.2-1]', 'reserved acknowledge flags'],
    ['20', '02 00', 4, 0x81, '§3.2.2.1', 'reserved acknowledge flags'],
    ['20', '01 80 00', 5, 0x82, '[MQTT-3.2.2-6]', 'session present with a failure'],
    ['20', '01 05', 4, 0x82, '[MQTT-3.2.2-4]', 'session present with a failure'],
    ['20', '00 06', 4, 0x82, '§3.2.2.3', 'an undefined return code'],
    ['20', '00 01 00', 5, 0x82, '[MQTT-3.2.2-8]', 'a return code of 3.1.1'],
    ['20', `00 00 ${properties('24 02')}`, 5, 0x82, '§3.2.2.3.4', 'maximum QoS 2'],
    ['20', `00 00 ${properties('25 02')}`, 5, 0x82, '§3.2.2.3.5', 'retain available 2'],
    ['20', `00 00 ${properties('17 01')}`, 5, 0x81, '§2.2.2.2', 'a property of CONNECT'],
    ['20', '00', 4, 0x81, '§4.8', 'cut short'],
    ['20', '00 00 00', 4, 0x81, '§4.8', 'a byte too many'],
    ['90', '0001', 4, 0x82, '[MQTT-3.8.4-5]', 'no return code'],
    ['90', '0001 03', 4, 0x82, '[MQTT-3.9.3-2]', 'an undefined return code'],
    ['90', '0001 00', 5, 0x82, '§3.9.3', 'no reason code'],
    ['90', '0001 00 03', 5, 0x82, '[MQTT-3.9.3-2]', 'an undefined reason code'],
    ['b0', '0001 00', 4, 0x81, '§4.8', 'a reason code before 5.0'],
    ['b0', '0001 00', 5, 0x82, '§3.11.3', 'no reason code'],
    ['b0', '0001 00 01', 5, 0x82, '[MQTT-3.11.3-2]', 'a code of SUBACK'],
    ['b0', '0000', 4, 0x82, '[MQTT-2.3.1-1]', 'packet identifier 0'],
  ] as const;
  for (const [header, body, version, reasonCode, clause, why] of rows) {
    test(`${header} (${body}) of version ${version} is refused: ${why}`, () => {
      expect(decoded(packet(header, body), version, 'fromServer')).toMatchObject({
        reasonCode,
        clause: `MQTT-${version === 5 ? '5.0' : '3.1.1'} ${clause}`,
      });
    });
  }
});

describe('before 5.0', () => {
  const answer = { packetIdentifier: 1, properties: { reasonString: 'why' } } as const;
  test('SUBACK has one code for every failure', () => {
    const suback = { kind: 'suback', reasonCodes: [2, 0x87, 0x8f], ...answer } as const;
    expect(encodePacket(suback, 4)).toEqual(packet('90', '0001 02 80 80'));
  });
  test('UNSUBACK has no codes and no properties', () => {
    const unsuback = { kind: 'unsuback', reasonCodes: [0x11], ...answer } as const;
    expect(encodePacket(unsuback, 4)).toEqual(packet('b0', '0001'));
  });
  test('CONNACK has the return code for a reason code, and 3.1 no session present', () => {
    const connack = { kind: 'connack', sessionPresent: false, properties: NO_PROPERTIES } as const;
    expect(encodePacket({ ...connack, reasonCode: 0x87 }, 4)).toEqual(packet('20', '00 05'));
    const resumed = { ...connack, sessionPresent: true, reasonCode: 0 };
    expect(encodePacket(resumed, 4)).toEqual(packet('20', '01 00'));
    expect(encodePacket(resumed, 3)).toEqual(packet('20', '00 00'));
  });
  test('DISCONNECT and the acknowledgements have no reason codes', () => {
    const disconnect = { kind: 'disconnect', reasonCode: 0x04, properties: NO_PROPERTIES } as const;
    expect(encodePacket(disconnect, 4)).toEqual(packet('e0', ''));
    expect(encodePacket({ kind: 'pubrec', reasonCode: 0x97, ...answer }, 4)).toEqual(
      packet('50', '0001'),
    );
  });
});
