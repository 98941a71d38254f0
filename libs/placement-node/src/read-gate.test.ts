import { settle } from '@robustmq/environment';
import { expect, test } from 'vitest';
import { ReadGate } from './read-gate.ts';

test('reads of one turn share a barrier, and later ones wait for a barrier that begins after them', async () => {
  const open: (() => void)[] = [];
  const gate = new ReadGate(
    () =>
      new Promise<void>((resolve) => {
        open.push(resolve);
      }),
  );
  const passed: string[] = [];
  for (const name of ['a', 'b']) void gate.pass().then(() => passed.push(name));
  await settle(3);
  expect(open.length).toBe(1);
  for (const name of ['c', 'd']) void gate.pass().then(() => passed.push(name));
  await settle(3);
  expect(open.length).toBe(1);
  open[0]?.();
  await settle(3);
  expect([passed, open.length]).toEqual([['a', 'b'], 2]);
  open[1]?.();
  await settle(3);
  expect(passed).toEqual(['a', 'b', 'c', 'd']);
});

test('a barrier that fails fails those who wait for it, not those after them', async () => {
  let verdict: 'fail' | 'pass' = 'fail';
  const gate = new ReadGate(async () => {
    if (verdict === 'fail') throw new Error('no majority');
  });
  await expect(gate.pass()).rejects.toThrow('no majority');
  verdict = 'pass';
  await expect(gate.pass()).resolves.toBeUndefined();
});
