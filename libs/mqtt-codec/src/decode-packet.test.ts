import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodePacket } from './encode-packet.ts';
import { mutate } from './mutation.fixture.ts';
import type { ProtocolVersion } from './packet.ts';
import { decoded, packet } from './packet-bytes.fixture.ts';
import { kindsOf, randomPacket } from './random-packet.fixture.ts';
import { RandomSource } from './random-source.fixture.ts';
import { examine } from './verdict.fixture.ts';

const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];

for (const version of VERSIONS) {
  describe(`packets of version ${version}`, () => {
    test('come back from their bytes unchanged', () => {
      const seen = new Set<string>();
      const property = fc.property(fc.integer(), (seed) => {
        const sent = randomPacket(new RandomSource(seed), version);
        seen.add(sent.packet.kind);
        const bytes = encodePacket(sent.packet, version);
        expect(decoded(bytes, version, sent.direction)).toEqual(sent.packet);
      });
      fc.assert(property, { numRuns: 2000 });
      expect([...seen].toSorted()).toEqual([...kindsOf(version)].toSorted());
    });

    test('decode to a packet or a declared fault when damaged, in place as in objects', () => {
      const property = fc.property(fc.integer(), (seed) => {
        const random = new RandomSource(seed);
        const { packet: original, direction } = randomPacket(random, version);
        const bytes = mutate(random, encodePacket(original, version));
        expect(examine(bytes, { version, direction }).broken).toBe(null);
      });
      fc.assert(property, { numRuns: 3000 });
    });

    test('are judged without an exception, whatever the bytes', () => {
      const directions = fc.constantFrom('fromClient', 'fromServer');
      const property = fc.property(
        fc.uint8Array({ maxLength: 40 }),
        directions,
        (body, direction) => {
          const bytes = Uint8Array.of(body[0] ?? 0x10, body.length, ...body);
          expect(examine(bytes, { version, direction }).broken).toBe(null);
        },
      );
      fc.assert(property, { numRuns: 3000 });
    });
  });
}

describe('the fixed header of every packet', () => {
  const rows = [
    ['f0', '', 4, 'fromClient', 'MQTT-3.1.1 §2.2.1', 'type 15 is reserved before 5.0'],
    ['c1', '', 5, 'fromClient', 'MQTT-5.0 [MQTT-2.1.3-1]', 'PINGREQ has no flags'],
    ['c1', '', 4, 'fromClient', 'MQTT-3.1.1 [MQTT-2.2.2-1]', 'PINGREQ has no flags'],
    ['11', '"MQTT" 04 02 0000 "a"', 4, 'fromClient', '[MQTT-2.2.2-1]', 'CONNECT has no flags'],
    ['80', '0001 00 "a" 00', 5, 'fromClient', '[MQTT-3.8.1-1]', 'SUBSCRIBE has flags 0010'],
    ['a0', '0001 00 "a"', 5, 'fromClient', '[MQTT-3.10.1-1]', 'UNSUBSCRIBE has flags 0010'],
    ['60', '0001', 5, 'fromClient', '[MQTT-3.6.1-1]', 'PUBREL has flags 0010'],
    ['6a', '0001', 4, 'fromClient', '[MQTT-3.6.1-1]', 'only 3.1 repeats PUBREL with DUP'],
    ['e1', '', 5, 'fromClient', '[MQTT-3.14.1-1]', 'DISCONNECT has no flags'],
    ['f1', '', 5, 'fromServer', '[MQTT-3.15.1-1]', 'AUTH has no flags'],
    ['c0', '00', 4, 'fromClient', '§4.8', 'PINGREQ has no body'],
    ['d0', '', 5, 'fromClient', '§2.1.2', 'PINGRESP is for servers'],
    ['c0', '', 5, 'fromServer', '§2.1.2', 'PINGREQ is for clients'],
    ['20', '0000 00', 5, 'fromClient', '§2.1.2', 'CONNACK is for servers'],
    ['e0', '', 4, 'fromServer', 'MQTT-3.1.1 §2.2.1', 'before 5.0 servers do not disconnect'],
  ] as const;
  for (const [header, body, version, direction, clause, why] of rows) {
    test(`${header} (${body}) of version ${version} is refused: ${why}`, () => {
      const result = decoded(packet(header, body), version, direction);
      expect(result).toMatchObject({ clause: expect.stringContaining(clause) });
    });
  }

  test('may carry DUP for repeated PUBREL, SUBSCRIBE and UNSUBSCRIBE of MQTT 3.1', () => {
    expect(decoded(packet('6a', '0001'), 3, 'fromClient')).toMatchObject({ kind: 'pubrel' });
    expect(decoded(packet('8a', '0001 "a" 00'), 3, 'fromClient')).toMatchObject({
      kind: 'subscribe',
    });
    expect(decoded(packet('aa', '0001 "a"'), 3, 'fromClient')).toMatchObject({
      kind: 'unsubscribe',
    });
  });
});
