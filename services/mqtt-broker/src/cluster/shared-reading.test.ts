import { expect, test } from 'vitest';
import { SharedReading } from './shared-reading.ts';

test('who asks in one turn shares a reading; who asks while it is under way gets the next', async () => {
  const turn: (() => void)[] = [];
  const readings: PromiseWithResolvers<number>[] = [];
  const shared = new SharedReading(
    {
      after: () => ({ cancel: () => {} }),
      every: () => ({ cancel: () => {} }),
      soon: (action) => turn.push(action),
    },
    () => {
      const reading = Promise.withResolvers<number>();
      readings.push(reading);
      return reading.promise;
    },
  );
  const endTurn = async (): Promise<void> => {
    for (const action of turn.splice(0)) action();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const first = [shared.ask(), shared.ask()];
  expect(readings.length).toBe(0);
  await endTurn();
  const second = shared.ask();
  await endTurn();
  expect(readings.length).toBe(2);
  readings[0]?.resolve(1);
  readings[1]?.reject(new Error('gone'));
  expect(await Promise.all(first)).toEqual([1, 1]);
  await expect(second).rejects.toThrow('gone');
});
