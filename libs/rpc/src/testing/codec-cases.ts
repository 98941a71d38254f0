/** What every codec by hand must do, checked against the proto files. */
import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import type { Codec } from '../contract/method.ts';
import { MalformedMessageError } from '../wire/protobuf-reader.ts';

/** A message of the proto files, the codec for it, and any value of it. */
export interface CodecCase {
  readonly message: string;
  readonly codec: Codec<never>;
  readonly values: fc.Arbitrary<unknown>;
}

/** @param message  with its package */
export function codecCase<Value>(
  message: string,
  codec: Codec<Value>,
  values: fc.Arbitrary<Value>,
): CodecCase {
  return { message, codec: codec as Codec<unknown> as Codec<never>, values };
}

/** Declares the tests of all cases. */
export function testCodecs(root: protobuf.Root, cases: readonly CodecCase[]): void {
  for (const { message, codec, values } of cases) {
    test(`says and understands ${message} as the proto file does`, () => {
      const type = root.lookupType(message);
      fc.assert(
        fc.property(values, (value) => {
          const own = codec.encode(value as never);
          const foreign = type.decode(own);
          expect(codec.decode(own)).toEqual(value);
          // A field that nobody declared would be lost here, and a wrong number misunderstood.
          const again = type.encode(type.fromObject(type.toObject(foreign, { longs: Number })));
          expect(codec.decode(again.finish())).toEqual(value);
        }),
        { numRuns: 60 },
      );
    });

    test(`refuses or reads any bytes given as ${message}`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
          try {
            codec.decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessageError);
          }
        }),
        { numRuns: 60 },
      );
    });

    test(`passes over what a newer version adds to ${message}`, () => {
      // Field 1000 as a number and as text, field 1001 as eight and as four bytes.
      const added = [0xc0, 0x3e, 0xff, 0x01, 0xc2, 0x3e, 1, 65];
      added.push(0xc9, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8, 0xcd, 0x3e, 1, 2, 3, 4);
      const [value] = fc.sample(values, { numRuns: 1, seed: 7 });
      const bytes = Uint8Array.of(...codec.encode(value as never), ...added);
      expect(codec.decode(bytes)).toEqual(value);
    });
  }
}
