import { describe, expect, test } from 'vitest';
import { decodeUtf8 } from '@robustmq/bytes';
import type { PublishFields } from './hot-path.ts';
import type { ProtocolVersion } from './packet.ts';
import { decoded, frameOf, packet, properties } from './packet-bytes.fixture.ts';
import { createPublishFields, decodePublish, PUBLISH_RULES_FROM_SERVER } from './publish-fields.ts';
import { forwardableProperties, forwardablePropertiesSize } from './publish-properties.ts';
import { validateTopicBytes } from './topic-bytes.ts';
import { bytesOf } from './packet-bytes.fixture.ts';

function decode(bytes: Uint8Array, version: ProtocolVersion, fields: PublishFields): number {
  return decodePublish(bytes, frameOf(bytes), version, fields);
}

const T = '"t"';

describe('a faulty PUBLISH', () => {
  const rows = [
    // header, body, version, reason code, clause, why
    ['36', `${T} 0001`, 4, 0x81, '[MQTT-3.3.1-4]', 'QoS 3'],
    ['36', `${T} 0001 00`, 5, 0x81, '[MQTT-3.3.1-4]', 'QoS 3'],
    ['38', T, 4, 0x81, '[MQTT-3.3.1-2]', 'DUP with QoS 0'],
    ['38', `${T} 00`, 5, 0x81, '[MQTT-3.3.1-2]', 'DUP with QoS 0'],
    ['30', '', 4, 0x81, '§4.8', 'no topic length'],
    ['30', '00', 5, 0x81, '§4.13.1', 'half a topic length'],
    ['30', '0005 61', 5, 0x81, '§4.13.1', 'a topic cut short'],
    ['32', `${T} 00`, 4, 0x81, '§4.8', 'half a packet identifier'],
    ['32', `${T} 0000`, 4, 0x82, '[MQTT-2.3.1-1]', 'packet identifier 0'],
    ['34', `${T} 0000 00`, 5, 0x82, '[MQTT-2.2.1-3]', 'packet identifier 0'],
    ['30', '0000', 4, 0x90, '[MQTT-4.7.3-1]', 'an empty topic'],
    ['30', '0000 00', 5, 0x82, '§3.3.2.1', 'an empty topic without a topic alias'],
    ['30', T, 5, 0x81, '[MQTT-1.5.5-1]', 'no property length'],
    ['30', `${T} 8000`, 5, 0x81, '[MQTT-1.5.5-1]', 'a property length not in the shortest form'],
    ['30', `${T} 05 01`, 5, 0x81, '§2.2.2.1', 'properties cut short'],
    ['30', `${T} ${properties('7f00')}`, 5, 0x81, '§2.2.2.2', 'an undefined property'],
    ['30', `${T} ${properties('8001')}`, 5, 0x81, '§2.2.2.2', 'an identifier of two bytes'],
    ['30', `${T} ${properties('210001')}`, 5, 0x81, '§2.2.2.2', 'receive maximum is for CONNECT'],
    ['30', `${T} ${properties('1800000001')}`, 5, 0x81, '§2.2.2.2', 'will delay is for wills'],
    ['30', `${T} ${properties('1f "r"')}`, 5, 0x81, '§2.2.2.2', 'reason string is for answers'],
    ['30', `${T} ${properties('0100 0100')}`, 5, 0x82, '§3.3.2.3.2', 'payload format twice'],
    ['30', `${T} ${properties('0102')}`, 5, 0x82, '§3.3.2.3.2', 'payload format 2'],
    ['30', `${T} ${properties('01')}`, 5, 0x81, '§4.13.1', 'payload format cut short'],
    ['30', `${T} ${properties('0200000001 0200000001')}`, 5, 0x82, '§3.3.2.3.3', 'expiry twice'],
    ['30', `${T} ${properties('02000000')}`, 5, 0x81, '§4.13.1', 'expiry cut short'],
    ['30', `${T} ${properties('03 "a" 03 "a"')}`, 5, 0x82, '§3.3.2.3.9', 'content type twice'],
    [
      '30',
      `${T} ${properties('03 0001 ff')}`,
      5,
      0x81,
      '[MQTT-1.5.4-1]',
      'content type in no UTF-8',
    ],
    ['30', `${T} ${properties('03 0003 eda080')}`, 5, 0x81, '[MQTT-1.5.4-1]', 'a surrogate'],
    ['30', `${T} ${properties('03 0001 00')}`, 5, 0x81, '[MQTT-1.5.4-2]', 'U+0000'],
    ['30', `${T} ${properties('03 0009 61')}`, 5, 0x81, '§4.13.1', 'content type beyond its list'],
    ['30', `${T} ${properties('08 "a" 08 "a"')}`, 5, 0x82, '§3.3.2.3.5', 'response topic twice'],
    ['30', `${T} ${properties('08 "a/+"')}`, 5, 0x82, '[MQTT-3.3.2-14]', 'response topic with +'],
    ['30', `${T} ${properties('08 "#"')}`, 5, 0x82, '[MQTT-3.3.2-14]', 'response topic with #'],
    ['30', `${T} ${properties('08 ""')}`, 5, 0x82, '[MQTT-4.7.3-1]', 'an empty response topic'],
    [
      '30',
      `${T} ${properties('09 0000 09 0000')}`,
      5,
      0x82,
      '§3.3.2.3.6',
      'correlation data twice',
    ],
    ['30', `${T} ${properties('0b 01')}`, 5, 0x82, '[MQTT-3.3.4-6]', 'clients send no identifiers'],
    ['30', `${T} ${properties('0b 00')}`, 5, 0x82, '§3.8.2.1.2', 'subscription identifier 0'],
    ['30', `${T} ${properties('0b 8000')}`, 5, 0x81, '[MQTT-1.5.5-1]', 'not the shortest form'],
    ['30', `${T} ${properties('23 0000')}`, 5, 0x94, '§3.3.2.3.4', 'topic alias 0'],
    ['30', `${T} ${properties('23 0001 23 0001')}`, 5, 0x82, '§3.3.2.3.4', 'topic alias twice'],
    ['30', `${T} ${properties('26 "a"')}`, 5, 0x81, '§4.13.1', 'half a user property'],
    ['30', `${T} ${properties('26 0001 ff "a"')}`, 5, 0x81, '[MQTT-1.5.4-1]', 'a name in no UTF-8'],
    [
      '30',
      `${T} ${properties('26 "a" 0002 c080')}`,
      5,
      0x81,
      '[MQTT-1.5.4-1]',
      'an overlong value',
    ],
  ] as const;
  for (const [header, body, version, code, clause, why] of rows) {
    test(`of version ${version} is answered with ${code}: ${why} (${clause})`, () => {
      const bytes = packet(header, body);
      expect(decode(bytes, version, createPublishFields())).toBe(code);
      expect(decoded(bytes, version, 'fromClient')).toMatchObject({
        reasonCode: code,
        clause: `MQTT-${version === 5 ? '5.0' : '3.1.1'} ${clause}`,
      });
    });
  }

  test('has more user properties than the rules allow', () => {
    const fields = createPublishFields({
      subscriptionIdentifiers: 'refused',
      userPropertiesMax: 2,
    });
    const pair = '26 "a" "b"';
    const two = packet('30', `"t" ${properties(`${pair} ${pair}`)}`);
    const three = packet('30', `"t" ${properties(`${pair} ${pair} ${pair}`)}`);
    expect(decode(two, 5, fields)).toBe(0);
    expect(decode(three, 5, fields)).toBe(0x97);
  });
});

describe('a PUBLISH in place', () => {
  test('has its offsets and numbers', () => {
    const list = properties('01 01 02 ffffffff 23 0102 26 "a" "b"');
    const bytes = packet('3d', `"t/1" 1234 ${list} 'payload'`);
    const fields = createPublishFields();
    expect(decode(bytes, 5, fields)).toBe(0);
    expect(fields).toMatchObject({
      qos: 2,
      dup: true,
      retain: true,
      packetIdentifier: 0x1234,
      topicAlias: 0x0102,
      messageExpirySeconds: 0xffffffff,
      payloadFormatIndicator: 1,
      propertiesForwardable: false,
    });
    const { topicStart, topicLength, payloadStart, payloadEnd } = fields;
    expect(decodeUtf8(bytes, topicStart, topicStart + topicLength)).toBe('t/1');
    expect(decodeUtf8(bytes, payloadStart, payloadEnd)).toBe('payload');
  });

  test('forgets what an earlier packet said', () => {
    const fields = createPublishFields();
    decode(packet('32', `"t" 0001 ${properties('01 01 02 00000009 23 0001')}`), 5, fields);
    expect(decode(packet('30', '"t" 00'), 5, fields)).toBe(0);
    const fresh = { topicAlias: 0, messageExpirySeconds: -1, payloadFormatIndicator: -1 };
    expect(fields).toMatchObject({ ...fresh, packetIdentifier: 0, propertiesForwardable: true });
    decode(packet('32', `"t" 0001 ${properties('01 01 02 00000009 23 0001')}`), 5, fields);
    expect(decode(packet('30', '"t"'), 4, fields)).toBe(0);
    expect(fields).toMatchObject({ ...fresh, packetIdentifier: 0, propertiesForwardable: true });
    expect(fields.propertiesStart).toBe(fields.propertiesEnd);
  });

  test('may have an empty topic with a topic alias, and no payload', () => {
    const fields = createPublishFields();
    expect(decode(packet('30', `0000 ${properties('23 0001')}`), 5, fields)).toBe(0);
    expect(fields).toMatchObject({ topicLength: 0, topicAlias: 1 });
    expect(fields.payloadStart).toBe(fields.payloadEnd);
  });

  test('may have several subscription identifiers from a server (MQTT-5.0 [MQTT-3.3.4-3])', () => {
    const bytes = packet('30', `"t" ${properties('0b 01 0b ff7f 0b 01')}`);
    expect(decode(bytes, 5, createPublishFields(PUBLISH_RULES_FROM_SERVER))).toBe(0);
  });
});

describe('the properties that are forwarded', () => {
  const rows = [
    ['', '', 'none'],
    ['26 "b" "1" 26 "a" "2" 26 "b" "3"', '26 "b" "1" 26 "a" "2" 26 "b" "3"', 'all, in order'],
    ['23 0001', '', 'no topic alias'],
    ['02 00000001', '', 'no message expiry'],
    ['01 01 23 0001 03 "x"', '01 01 03 "x"', 'what stands around the alias'],
    ['02 00000001 08 "r" 09 "c" 23 0001 26 "a" ""', '08 "r" 09 "c" 26 "a" ""', 'the rest'],
  ] as const;
  for (const [list, expected, why] of rows) {
    test(`of [${list}] are: ${why}`, () => {
      const bytes = packet('30', `"t" ${properties(list)} 'p'`);
      const fields = createPublishFields();
      expect(decode(bytes, 5, fields)).toBe(0);
      const target = new Uint8Array(64);
      const end = forwardableProperties(bytes, fields, target, 3);
      expect(target.subarray(3, end)).toEqual(bytesOf(expected));
      expect(forwardablePropertiesSize(fields)).toBe(end - 3);
    });
  }
});

describe('the bytes of a topic name', () => {
  const rows = [
    ["'a/b'", 0, 'legal'],
    ["'$SYS/ä €'", 0, 'legal, beyond ASCII'],
    ['', 0x90, 'empty [MQTT-4.7.3-1]'],
    ["'a/+'", 0x90, 'wildcard [MQTT-3.3.2-2]'],
    ["'a/#'", 0x90, 'wildcard [MQTT-3.3.2-2]'],
    ["'a+b'", 0x90, 'wildcard [MQTT-3.3.2-2]'],
    ['61 00', 0x81, 'U+0000 [MQTT-1.5.4-2]'],
    ['2b 00', 0x81, 'U+0000 prevails over the wildcard'],
    ['61 ff', 0x81, 'ill-formed [MQTT-1.5.4-1]'],
    ['e282', 0x81, 'cut short [MQTT-1.5.4-1]'],
    ['eda080', 0x81, 'a surrogate [MQTT-1.5.4-1]'],
  ] as const;
  for (const [notation, code, why] of rows) {
    test(`${notation} are judged ${code}: ${why}`, () => {
      const bytes = bytesOf(notation);
      expect(validateTopicBytes(bytes, 0, bytes.length)).toBe(code);
    });
  }
});
