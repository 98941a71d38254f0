import { expect, test } from 'vitest';
import { ConnectAdmission } from './connect-admission.ts';

/** Decisions that end when the test says so. */
class Decisions {
  readonly begun: number[] = [];
  readonly #ends = new Map<number, () => void>();

  decision(number: number): () => Promise<void> {
    return () => {
      this.begun.push(number);
      return new Promise((resolve) => this.#ends.set(number, resolve));
    };
  }

  async end(number: number): Promise<void> {
    this.#ends.get(number)?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('so many are decided at once, others in their order, and who is one too many is refused', async () => {
  const admission = new ConnectAdmission({ decidingMax: 2, waitingMax: 3 });
  const decisions = new Decisions();
  const taken = [1, 2, 3, 4, 5, 6].map((number) => admission.submit(decisions.decision(number)));
  expect(taken).toEqual([true, true, true, true, true, false]);
  expect(decisions.begun).toEqual([1, 2]);
  await decisions.end(2);
  expect(decisions.begun).toEqual([1, 2, 3]);
  expect(admission.submit(decisions.decision(7))).toBe(true);
  for (const number of [3, 1, 4, 5, 7]) await decisions.end(number);
  expect(decisions.begun).toEqual([1, 2, 3, 4, 5, 7]);
  expect([admission.deciding, admission.waiting]).toEqual([0, 0]);
});

test('ten thousand that wait are decided one after the other', async () => {
  const admission = new ConnectAdmission({ decidingMax: 1, waitingMax: 10_000 });
  const order: number[] = [];
  for (let number = 0; number < 10_000; number += 1) {
    admission.submit(async () => {
      order.push(number);
    });
  }
  while (admission.deciding > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
});
