import { describe, expect, test } from 'vitest';
import {
  DEFAULT_STATE_MACHINE_LIMITS,
  limitsMark,
  STATE_MACHINE_VERSION,
  type StateMachineLimits,
} from './limits.ts';
import { MemoryRecords } from './memory-records.ts';
import { applyCommand } from './state-machine.ts';
import { assertSameLimits, metaOf } from './store-meta.ts';

describe('the limits of the state machine', () => {
  test('are these in this version: others need the next version', () => {
    expect({ version: STATE_MACHINE_VERSION, ...DEFAULT_STATE_MACHINE_LIMITS }).toEqual({
      version: 2,
      historyRevisionsMax: 100_000,
      historyBytesMax: 1_073_741_824,
      storedBytesMax: 8_589_934_592,
      leasesMax: 1_000_000,
      outcomesMax: 65_536,
      touchedKeysMax: 20_000,
      touchedBytesMax: 67_108_864,
    });
    expect(limitsMark(DEFAULT_STATE_MACHINE_LIMITS)).toBe(4_093_518_319);
  });

  test('stand in the state from the first command on', () => {
    const records = new MemoryRecords();
    const others = { ...DEFAULT_STATE_MACHINE_LIMITS, leasesMax: 7 };
    expect(() => assertSameLimits(metaOf(records), others)).not.toThrow();
    const command = { kind: 'grantLease', id: null, ttlSeconds: 1, requestId: null } as const;
    records.apply(applyCommand(records, command, DEFAULT_STATE_MACHINE_LIMITS).writes);
    expect(() => assertSameLimits(metaOf(records), DEFAULT_STATE_MACHINE_LIMITS)).not.toThrow();
    expect(() => assertSameLimits(metaOf(records), others)).toThrow('other limits');
  });

  test('have a mark in which each of them counts', () => {
    const names = Object.keys(DEFAULT_STATE_MACHINE_LIMITS) as (keyof StateMachineLimits)[];
    const marks = names.map((name) =>
      limitsMark({
        ...DEFAULT_STATE_MACHINE_LIMITS,
        [name]: DEFAULT_STATE_MACHINE_LIMITS[name] + 1,
      }),
    );
    expect(new Set([...marks, limitsMark(DEFAULT_STATE_MACHINE_LIMITS)]).size).toBe(
      names.length + 1,
    );
  });
});
