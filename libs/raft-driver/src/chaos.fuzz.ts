/** The histories of chaos.test.ts, many more of them: part of `make fuzz`. */
import { expect, test } from 'vitest';
import { randomHistory } from './testing/random-history.ts';

const HISTORIES = 2000;

test(`whatever was acknowledged is everywhere in ${HISTORIES} histories`, async () => {
  for (let seed = 1000; seed < 1000 + HISTORIES; seed += 1) {
    const { items, acknowledged } = await randomHistory(seed);
    expect(items[1], `seed ${seed}`).toEqual(items[0]);
    expect(items[2], `seed ${seed}`).toEqual(items[0]);
    expect(new Set(items[0]).size, `seed ${seed}`).toBe(items[0]?.length);
    expect(items[0], `seed ${seed}`).toEqual(expect.arrayContaining([...acknowledged]));
  }
});
