import { Message, Router } from '@robustmq/broker';
import { type Offset, RecordBatchBuilder, RecordBatchReader } from '@robustmq/journal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  directNameOf,
  directTopicOf,
  publisherSessionOf,
  readMessageRecord,
  writeDirectRecord,
  writeMessageRecord,
} from './message-record.ts';
import { RECORD_KIND } from './operations.ts';
import { isExpired } from './session-consumer.ts';

const UTF8 = new TextEncoder();
const router = new Router({
  topicsCachedMax: 1000,
  strategy: 'round_robin',
  encode: (name) => UTF8.encode(name),
});

interface Plain {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly expiresAtMs: number;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

function messageOf(plain: Plain): Message {
  const message = new Message(router.topicOf(plain.topic));
  message.qos = plain.qos;
  message.retain = plain.retain;
  message.expiresAtMs = plain.expiresAtMs;
  // Both lie somewhere in a larger buffer, as they do in a receive buffer.
  message.headerBytes = padded(plain.headers);
  message.headersStart = 5;
  message.headersEnd = 5 + plain.headers.length;
  message.payloadBytes = padded(plain.payload);
  message.payloadStart = 5;
  message.payloadEnd = 5 + plain.payload.length;
  return message;
}

function padded(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 9).fill(0xee);
  larger.set(bytes, 5);
  return larger;
}

function plainOf(message: Message): Plain {
  return {
    topic: message.topic.name,
    qos: message.qos,
    retain: message.retain,
    expiresAtMs: message.expiresAtMs,
    headers: message.headerBytes.slice(message.headersStart, message.headersEnd),
    payload: message.payloadBytes.slice(message.payloadStart, message.payloadEnd),
  };
}

const plain: fc.Arbitrary<Plain> = fc.record({
  topic: fc.stringMatching(/^[a-zü/]{1,70}$/),
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  expiresAtMs: fc.constantFrom(0, 1, 1_800_000_000_123),
  headers: fc.uint8Array({ maxLength: 100 }),
  payload: fc.uint8Array({ maxLength: 200 }),
});

describe('a message record', () => {
  test('gives back the message and its publisher, in the open and in the sealed batch', () => {
    fc.assert(
      fc.property(fc.array(plain, { minLength: 1, maxLength: 5 }), fc.boolean(), (all, direct) => {
        const builder = new RecordBatchBuilder();
        const ranges = all.map((each, n) => {
          const message = messageOf(each);
          const start = direct
            ? writeDirectRecord(builder, message, n + 1)
            : writeMessageRecord(builder, message, n + 1);
          return { start, end: builder.byteLength };
        });
        const kind = direct ? RECORD_KIND.direct : RECORD_KIND.message;
        const open = builder.bytes;
        const { bytes } = builder.seal(0 as Offset, 0);
        for (const where of [open, bytes]) {
          for (const [n, range] of ranges.entries()) {
            const expected = all[n] as Plain;
            const topic = router.topicOf(expected.topic);
            const message = new Message(topic);
            readMessageRecord(where, range, { message, topic, kind });
            expect(plainOf(message)).toEqual(expected);
            // A direct message has no publisher whose own it could be.
            expect(publisherSessionOf(where, range.start)).toBe(direct ? 0 : n + 1);
            if (direct) expect(directNameOf(where, range.start)).toBe(expected.topic);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test('of one session alone is indexed under a name that no client can say', () => {
    const builder = new RecordBatchBuilder();
    const message = messageOf({
      topic: 'real/name',
      qos: 1,
      retain: true,
      expiresAtMs: 0,
      headers: new Uint8Array(0),
      payload: UTF8.encode('x'),
    });
    writeDirectRecord(builder, message, 77);
    const reader = new RecordBatchReader();
    reader.open(builder.seal(9 as Offset, 0).bytes, 0);
    expect(reader.next()).toBe(true);
    const record = reader.record();
    expect([record.kind, record.topic]).toEqual([RECORD_KIND.direct, directTopicOf(77)]);
    expect([directNameOf(record.body, 0), record.topic.charCodeAt(0)]).toEqual(['real/name', 0]);
  });

  test('tells whether its time is over without being decoded', () => {
    for (const [expiresAtMs, nowMs, expired] of [
      [0, 1e15, false],
      [1000, 999, false],
      [1000, 1000, true],
      [1000, 1001, true],
    ] as const) {
      const builder = new RecordBatchBuilder();
      const none = new Uint8Array(0);
      const start = writeMessageRecord(
        builder,
        messageOf({ topic: 'a', qos: 1, retain: false, expiresAtMs, headers: none, payload: none }),
        1,
      );
      expect(isExpired(builder.bytes, start, nowMs)).toBe(expired);
    }
  });
});
