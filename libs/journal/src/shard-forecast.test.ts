import { expect, test } from 'vitest';
import type { ShardCommand } from './shard-command.ts';
import { ShardForecast } from './shard-forecast.ts';
import { ShardState } from './shard-state.ts';

const SEEDS = 60;
const ENTRIES = 300;

/** Numbers below a bound, the same for a seed. */
function below(seed: number): (bound: number) => number {
  let state = seed * 2_654_435_761;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * bound);
  };
}

/** Appends that mostly follow each other, some repeated, ahead, behind a gap, or of a fenced life. */
class Producers {
  readonly #next: (bound: number) => number;
  readonly #last = new Map<string, number>();
  #made = 0;

  constructor(next: (bound: number) => number) {
    this.#next = next;
  }

  command(): ShardCommand {
    const next = this.#next;
    this.#made += 1;
    const producer = { id: next(3), incarnation: 1 + Math.floor(this.#made / 40) };
    if (next(40) === 0) return { kind: 'fence', stampMs: 0, producer };
    if (next(30) === 0) return { kind: 'trim', stampMs: 0, offset: next(50) };
    const name = `${producer.id}/${producer.incarnation}`;
    const last = this.#last.get(name) ?? 0;
    const sequence = Math.max(1, last + 1 + (next(8) === 0 ? next(5) - 2 : 0));
    const mayMissFrom = next(4) === 0 ? Math.max(1, sequence - next(3)) : sequence;
    if (sequence > last && mayMissFrom <= last + 1) this.#last.set(name, sequence);
    const append = { kind: 'append', stampMs: 0, producer, sequence, batchStart: 0 } as const;
    return mayMissFrom === sequence ? append : { ...append, mayMissFrom };
  }
}

test('what is expected comes true, and whatever is written was expected', () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const next = below(seed);
    const state = new ShardState();
    const forecast = new ShardForecast();
    const producers = new Producers(next);
    const told: { command: ShardCommand; recordCount: number; base: number | null }[] = [];
    // Two entries of an earlier leader are not applied when the first one of this term is told.
    const earlier = Array.from({ length: 2 }, () => producers.command());
    const firstIndex = earlier.length + 1;
    const apply = (): void => {
      const index = state.appliedIndex + 1;
      const command = earlier[index - 1];
      const entry = told[index - firstIndex];
      if (command !== undefined) state.apply(command, 1);
      else if (entry !== undefined) {
        const outcome = state.apply(entry.command, entry.recordCount);
        const base = outcome.kind === 'appended' ? outcome.base : null;
        if (entry.base !== null) expect(entry.base, `seed ${seed}, entry ${index}`).toBe(base);
        else if (index > firstIndex + 20) expect(base, `seed ${seed}, entry ${index}`).toBeNull();
      }
      state.appliedIndex = index;
      forecast.applied(state);
    };
    for (let at = 0; at < ENTRIES; at += 1) {
      const command = producers.command();
      const recordCount = 1 + next(3);
      const index = firstIndex + at;
      const base = forecast.expect(state, { term: 4, index }, { command, recordCount });
      told.push({ command, recordCount, base: command.kind === 'append' ? base : null });
      if (at < 10) continue;
      const appliedMax = index - next(6);
      while (state.appliedIndex < appliedMax) apply();
    }
    while (state.appliedIndex < firstIndex + ENTRIES - 1) apply();
    expect(told.filter(({ base }) => base !== null).length).toBeGreaterThan(ENTRIES / 3);
  }
});

test('nothing is expected while entries of an earlier leader are not applied', () => {
  const state = new ShardState();
  const forecast = new ShardForecast();
  const append = (sequence: number): ShardCommand => ({
    ...{ kind: 'append', stampMs: 0, producer: { id: 1, incarnation: 1 }, batchStart: 0 },
    sequence,
  });
  const expected = (index: number, sequence: number): number | null =>
    forecast.expect(state, { term: 2, index }, { command: append(sequence), recordCount: 10 });
  expect(expected(8, 1)).toBeNull();
  expect(expected(9, 2)).toBeNull();
  state.appliedIndex = 7;
  expect(expected(10, 3)).toBe(20);
  // A leader that was another one meanwhile begins anew.
  expect(
    forecast.expect(state, { term: 5, index: 9 }, { command: append(1), recordCount: 1 }),
  ).toBeNull();
  state.appliedIndex = 8;
  expect(
    forecast.expect(state, { term: 5, index: 10 }, { command: append(2), recordCount: 1 }),
  ).toBe(1);
});
