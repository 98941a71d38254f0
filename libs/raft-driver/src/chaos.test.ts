import { expect, test } from 'vitest';
import { randomHistory } from './testing/random-history.ts';

const HISTORIES = 12;

test(`whatever was acknowledged is everywhere, once, in the same order, in ${HISTORIES} histories`, async () => {
  let acknowledged = 0;
  let failures = 0;
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    const history = await randomHistory(seed);
    const [first, second, third] = history.items;
    expect(second, `seed ${seed}`).toEqual(first);
    expect(third, `seed ${seed}`).toEqual(first);
    expect(new Set(first).size, `seed ${seed}`).toBe(first?.length);
    expect(first, `seed ${seed}`).toEqual(expect.arrayContaining([...history.acknowledged]));
    expect(['RAFT_IO_FAILED', 'RAFT_FULL']).toEqual(
      expect.arrayContaining([...history.fatalCodes]),
    );
    acknowledged += history.acknowledged.length;
    failures += history.fatalCodes.length;
  }
  expect(failures).toBeGreaterThan(0);
  expect(acknowledged).toBeGreaterThan(200);
});
