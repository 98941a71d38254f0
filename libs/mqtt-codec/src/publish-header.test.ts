import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '@robustmq/bytes';
import { encodePacket } from './encode-packet.ts';
import { encodeProperties } from './packet-writer.ts';
import { NO_PROPERTIES, type Properties } from './properties.ts';
import {
  publishFirstByte,
  publishHeaderSize,
  publishPacketIdentifierOffset,
  publishSize,
  writePublishHeader,
} from './publish-header.ts';

const lists: readonly Properties[] = [
  NO_PROPERTIES,
  { contentType: 'text/plain', userProperties: [['a', 'b']] },
  { correlationData: new Uint8Array(300) },
];

test('a template is the packet that the encoder makes, at any size', () => {
  const property = fc.property(
    fc.constantFrom(3, 4, 5),
    fc.constantFrom(0, 1, 2),
    fc.constantFrom(...lists),
    fc.constantFrom(0, 1, 100, 120, 127, 16_300, 16_380),
    fc.integer({ min: 1, max: 65_535 }),
    (version, qos, properties, payloadLength, identifier) => {
      const topic = encodeUtf8('xx/t/ä');
      const payload = new Uint8Array(payloadLength).fill(7);
      const list = encodeProperties(properties, 'publish');
      const propertiesLength = list.length;
      const topicLength = topic.length - 3;
      const shape = { version, qos, topicLength, propertiesLength, payloadLength } as const;
      const target = new Uint8Array(publishSize(shape));
      const firstByte = publishFirstByte(qos, 'retain');
      let at = writePublishHeader(target, 0, shape, firstByte, topic, 3);
      if (version === 5) {
        target.set(list, at);
        at += propertiesLength;
      }
      expect(at).toBe(publishHeaderSize(shape));
      target.set(payload, at);
      const identifierAt = publishPacketIdentifierOffset(shape);
      expect(identifierAt === -1).toBe(qos === 0);
      if (identifierAt >= 0) {
        target[identifierAt] = identifier >>> 8;
        target[identifierAt + 1] = identifier & 0xff;
      }
      const packetIdentifier = qos === 0 ? 0 : identifier;
      const message = { kind: 'publish', topic: 't/ä', payload, qos, retain: true } as const;
      const expected = { ...message, dup: false, packetIdentifier, properties };
      expect(target).toEqual(encodePacket(expected, version));
    },
  );
  fc.assert(property, { numRuns: 300 });
});
