import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { applyCommand, MemoryRecords } from '@robustmq/placement';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPlacementStore } from './open-placement-store.ts';
import { LIMITS_FOR_TESTS, randomCommands } from './testing/commands.ts';
import { BATCH_COMMANDS, COMMANDS, SEED } from './testing/dying-process-plan.ts';

const PROCESS = new URL('./testing/dying-process.ts', import.meta.url).pathname;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/placement-killed-`);
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Runs a process that applies so many batches and dies during the next. */
async function dieAfter(batches: number): Promise<void> {
  const settings = ['--conditions=source', PROCESS, directory, String(batches)];
  const child = spawn(process.execPath, settings, { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

test('a killed process leaves what its applied index says, and the next one goes on from there', async () => {
  const commands = randomCommands(SEED, COMMANDS);
  const memory = new MemoryRecords();
  let applied = 0;
  for (const batches of [1, 3, 8]) {
    await dieAfter(batches);
    const store = await openPlacementStore({ directory, limits: LIMITS_FOR_TESTS });
    // What was pending is gone: the log repeats it.
    expect(store.appliedIndex).toBeGreaterThanOrEqual(applied);
    expect(store.appliedIndex).toBeLessThanOrEqual(applied + (batches + 1) * BATCH_COMMANDS);
    for (; applied < store.appliedIndex; applied += 1) {
      const command = commands[applied];
      if (command === undefined) throw new Error(`there is no command ${applied}`);
      memory.apply(applyCommand(memory, command, LIMITS_FOR_TESTS).writes);
    }
    expect(await store.digest()).toBe(memory.digest());
    await store.close();
  }
  expect(applied).toBeGreaterThan(0);
});
