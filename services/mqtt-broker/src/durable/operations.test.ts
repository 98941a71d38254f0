import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FieldReader,
  FieldWriter,
  OPERATION,
  type OperationTarget,
  OperationWriter,
  replayOperations,
} from './operations.ts';

type Call = readonly [name: string, ...values: readonly unknown[]];

/** Remembers what it is told. */
class Recorder implements OperationTarget {
  readonly calls: Call[] = [];

  assign(session: number, identifier: number, qos: number, offset: number): void {
    this.calls.push(['assign', session, identifier, qos, offset]);
  }

  exchange(code: number, session: number, identifier: number): void {
    this.calls.push(['exchange', code, session, identifier]);
  }

  session(session: number, record: Uint8Array): void {
    this.calls.push(['session', session, [...record]]);
  }

  sessionEnded(session: number): void {
    this.calls.push(['sessionEnded', session]);
  }

  position(session: number, position: number): void {
    this.calls.push(['position', session, position]);
  }

  retainedDeleted(topic: string): void {
    this.calls.push(['retainedDeleted', topic]);
  }

  groupPosition(key: string, position: number): void {
    this.calls.push(['groupPosition', key, position]);
  }

  groupReturn(key: string, offset: number): void {
    this.calls.push(['groupReturn', key, offset]);
  }

  groupDone(key: string, offset: number): void {
    this.calls.push(['groupDone', key, offset]);
  }

  given(session: number, identifier: number, groupKey: string): void {
    this.calls.push(['given', session, identifier, groupKey]);
  }

  subscribed(session: number, record: Uint8Array): void {
    this.calls.push(['subscribed', session, [...record]]);
  }

  unsubscribed(session: number, key: string): void {
    this.calls.push(['unsubscribed', session, key]);
  }

  terms(session: number, record: Uint8Array): void {
    this.calls.push(['terms', session, [...record]]);
  }

  groupEnded(key: string): void {
    this.calls.push(['groupEnded', key]);
  }

  will(clientId: string, record: Uint8Array): void {
    this.calls.push(['will', clientId, [...record]]);
  }
}

function write(writer: OperationWriter, [name, ...values]: Call): void {
  const [a, b, c, d] = values as never[];
  if (name === 'assign') writer.assign(a as never, b as never, c as never, d as never);
  else if (name === 'exchange') writer.exchange(a as never, b as never, c as never);
  else if (name === 'session') writer.session(a as never, Uint8Array.from(b as never));
  else if (name === 'subscribed' || name === 'terms') {
    writer.ofSession(OPERATION[name], a as never, Uint8Array.from(b as never));
  } else if (name === 'unsubscribed') {
    writer.ofSession(OPERATION.unsubscribed, a as never, new TextEncoder().encode(b as never));
  } else if (name === 'sessionEnded') writer.sessionEnded(a as never);
  else if (name === 'position') writer.position(a as never, b as never);
  else if (name === 'retainedDeleted') writer.text(OPERATION.retainedDeleted, a as never);
  else if (name === 'groupPosition') writer.group(OPERATION.groupPosition, a as never, b as never);
  else if (name === 'groupReturn') writer.group(OPERATION.groupReturn, a as never, b as never);
  else if (name === 'groupDone') writer.group(OPERATION.groupDone, a as never, b as never);
  else if (name === 'given') writer.given(a as never, b as never, c as never);
  else if (name === 'groupEnded') writer.text(OPERATION.groupEnded, a as never);
  else writer.will(a as never, Uint8Array.from(b as never));
}

const session = fc.integer({ min: 1, max: 0xffff_ffff });
const identifier = fc.integer({ min: 1, max: 65_535 });
const offset = fc.maxSafeNat();
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 });
const exchangeCode = fc.constantFrom(
  OPERATION.release,
  OPERATION.received,
  OPERATION.receipt,
  OPERATION.receiptReleased,
);

const call: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(fc.constant('assign'), session, identifier, fc.constantFrom(1, 2, 0x81, 0x82), offset),
  fc.tuple(fc.constant('exchange'), exchangeCode, session, identifier),
  fc.tuple(fc.constantFrom('session', 'subscribed', 'terms'), session, bytes),
  fc.tuple(fc.constant('unsubscribed'), session, text),
  fc.tuple(fc.constant('given'), session, identifier, text),
  fc.tuple(fc.constant('sessionEnded'), session),
  fc.tuple(fc.constant('position'), session, offset),
  fc.tuple(fc.constantFrom('retainedDeleted', 'groupEnded'), text),
  fc.tuple(fc.constantFrom('groupPosition', 'groupReturn', 'groupDone'), text, offset),
  fc.tuple(fc.constant('will'), text, bytes),
);

describe('a record of operations', () => {
  test('is replayed as it was written, in order, whatever it holds', () => {
    const writer = new OperationWriter();
    fc.assert(
      fc.property(fc.array(call, { maxLength: 80 }), (calls) => {
        writer.clear();
        for (const each of calls) write(writer, each);
        const recorder = new Recorder();
        replayOperations(writer.bytes.subarray(0, writer.length), recorder);
        expect(recorder.calls).toEqual(calls);
      }),
      { numRuns: 200 },
    );
  });

  test('grows beyond its first buffer', () => {
    const writer = new OperationWriter();
    for (let n = 0; n < 10_000; n += 1) writer.assign(n, 1 + (n % 65_535), 1, n);
    const recorder = new Recorder();
    replayOperations(writer.bytes.subarray(0, writer.length), recorder);
    expect(recorder.calls).toHaveLength(10_000);
    expect(recorder.calls[9999]).toEqual(['assign', 9999, 10_000, 1, 9999]);
  });

  test('of a newer version, or cut short, is not taken for something else', () => {
    const recorder = new Recorder();
    expect(() => replayOperations(Uint8Array.of(200), recorder)).toThrow('newer version');
    const writer = new OperationWriter();
    writer.will('client', Uint8Array.of(1, 2, 3));
    for (let length = 1; length < writer.length; length += 1) {
      expect(() => replayOperations(writer.bytes.subarray(0, length), recorder)).toThrow(
        RangeError,
      );
    }
    expect(recorder.calls).toEqual([]);
  });
});

describe('fields', () => {
  test('come back in the order in which they were written, at any place of a buffer', () => {
    const written = new FieldWriter()
      .u8(255)
      .u16(65_535)
      .u32(0xffff_ffff)
      .f64(Number.POSITIVE_INFINITY)
      .text('ü/𝄞')
      .blob(new Uint8Array(1000).fill(7))
      .finish();
    const shifted = new Uint8Array(written.length + 3);
    shifted.set(written, 3);
    const reader = new FieldReader(shifted.subarray(3));
    expect([reader.u8(), reader.u16(), reader.u32(), reader.f64(), reader.text()]).toEqual([
      255,
      65_535,
      0xffff_ffff,
      Number.POSITIVE_INFINITY,
      'ü/𝄞',
    ]);
    expect([reader.blob().length, reader.done]).toEqual([1000, true]);
    expect(() => reader.u8()).toThrow(RangeError);
  });
});
