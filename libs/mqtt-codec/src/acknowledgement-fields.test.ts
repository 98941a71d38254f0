import { describe, expect, test } from 'vitest';
import {
  AcknowledgementHeader,
  createAcknowledgementFields,
  decodeAcknowledgement,
  writeAcknowledgement,
  writeAcknowledgementWithReason,
} from './acknowledgement-fields.ts';
import { decoded, frameOf, packet, properties } from './packet-bytes.fixture.ts';

describe('a faulty acknowledgement', () => {
  const rows = [
    ['40', '00', 5, 0x81, '§4.13.1', 'half a packet identifier'],
    ['40', '0000', 5, 0x82, '[MQTT-2.2.1-3]', 'packet identifier 0'],
    ['40', '0000', 4, 0x82, '[MQTT-2.3.1-1]', 'packet identifier 0'],
    ['40', '0001 00', 4, 0x81, '§4.8', 'a third byte before 5.0'],
    ['42', '0001', 4, 0x81, '[MQTT-2.2.2-1]', 'flags in PUBACK'],
    ['60', '0001', 4, 0x81, '[MQTT-3.6.1-1]', 'PUBREL without its flag'],
    ['63', '0001', 5, 0x81, '[MQTT-3.6.1-1]', 'PUBREL with one flag more'],
    ['70', '0001 10', 5, 0x82, '[MQTT-3.7.2-1]', 'a code of PUBACK in PUBCOMP'],
    ['62', '0001 80', 5, 0x82, '[MQTT-3.6.2-1]', 'a code of PUBREC in PUBREL'],
    ['40', '0001 92', 5, 0x82, '[MQTT-3.4.2-1]', 'a code of PUBREL in PUBACK'],
    ['50', '0001 01', 5, 0x82, '[MQTT-3.5.2-1]', 'a code of SUBACK in PUBREC'],
    ['40', '0001 00 01', 5, 0x81, '§2.2.2.1', 'properties cut short'],
    ['40', '0001 00 00 00', 5, 0x81, '§4.13.1', 'a byte after the properties'],
    ['40', `0001 00 ${properties('01 01')}`, 5, 0x81, '§2.2.2.2', 'a property of PUBLISH'],
    ['40', `0001 00 ${properties('1f "a" 1f "a"')}`, 5, 0x82, '§3.2.2.3.9', 'two reason strings'],
    ['40', `0001 00 ${properties('1f 0001 ff')}`, 5, 0x81, '[MQTT-1.5.4-1]', 'no UTF-8'],
    ['40', `0001 00 ${properties('26 "a"')}`, 5, 0x81, '§4.13.1', 'half a user property'],
  ] as const;
  for (const [header, body, version, code, clause, why] of rows) {
    test(`${header} (${body}) of version ${version} is answered with ${code}: ${why}`, () => {
      const bytes = packet(header, body);
      const fields = createAcknowledgementFields();
      expect(decodeAcknowledgement(bytes, frameOf(bytes), version, fields)).toBe(code);
      expect(decoded(bytes, version, 'fromClient')).toMatchObject({
        reasonCode: code,
        clause: `MQTT-${version === 5 ? '5.0' : '3.1.1'} ${clause}`,
      });
    });
  }
});

describe('a legal acknowledgement', () => {
  const rows = [
    ['40', '1234', 4, 0x00, 'the form of 3.1.1'],
    ['50', '1234', 3, 0x00, 'the form of 3.1'],
    ['6a', '1234', 3, 0x00, '3.1 repeats PUBREL with DUP'],
    ['40', '1234', 5, 0x00, 'no reason code means success, §3.4.2.1'],
    ['70', '1234 92', 5, 0x92, 'no property length below 4 bytes, §3.4.2.2.1'],
    ['50', '1234 97 00', 5, 0x97, 'no properties'],
    ['62', `1234 92 ${properties('1f "why" 26 "a" "b" 26 "a" "c"')}`, 5, 0x92, 'properties'],
  ] as const;
  for (const [header, body, version, reasonCode, why] of rows) {
    test(`${header} (${body}) of version ${version} is decoded: ${why}`, () => {
      const bytes = packet(header, body);
      const fields = createAcknowledgementFields();
      expect(decodeAcknowledgement(bytes, frameOf(bytes), version, fields)).toBe(0);
      expect(fields).toEqual({ packetIdentifier: 0x1234, reasonCode });
      expect(decoded(bytes, version, 'fromClient')).toMatchObject({
        packetIdentifier: 0x1234,
        reasonCode,
      });
    });
  }

  test('is written in four bytes, or five with a reason code', () => {
    const target = new Uint8Array(10);
    const after = writeAcknowledgement(target, 1, AcknowledgementHeader.pubrel, 0xfffe);
    const end = writeAcknowledgementWithReason(target, after, 0x50, 0x0102, 0x97);
    expect(target.subarray(1, after)).toEqual(packet('62', 'fffe'));
    expect(target.subarray(after, end)).toEqual(packet('50', '0102 97'));
  });
});
