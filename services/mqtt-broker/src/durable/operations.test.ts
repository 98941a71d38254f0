import { describe, expect, test } from 'vitest';
import { FieldReader, FieldWriter } from './operations.ts';

describe('the fields of a record', () => {
  // The writer's first buffer has 256 bytes: every kind of field crosses its end once.
  for (let before = 240; before <= 260; before += 1) {
    test(`are read as they were written when ${before} bytes come before them`, () => {
      const filler = new Uint8Array(before - 4).fill(7);
      const bytes = new FieldWriter()
        .blob(filler)
        .u8(0x81)
        .u16(0x8182)
        .u32(0x8182_8384)
        .f64(1.5e300)
        .blob(new Uint8Array(300).fill(9))
        .text('ä/b')
        .finish();
      const reader = new FieldReader(bytes);
      expect(reader.blob()).toEqual(filler);
      expect(reader.u8()).toBe(0x81);
      expect(reader.u16()).toBe(0x8182);
      expect(reader.u32()).toBe(0x8182_8384);
      expect(reader.f64()).toBe(1.5e300);
      expect(reader.blob()).toEqual(new Uint8Array(300).fill(9));
      expect(reader.text()).toBe('ä/b');
      expect(reader.done).toBe(true);
    });
  }
});
