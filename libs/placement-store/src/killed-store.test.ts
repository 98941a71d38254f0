import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { applyCommand, MemoryRecords } from '@robustmq/placement';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPlacementStore } from './open-placement-store.ts';
import { LIMITS_FOR_TESTS, randomCommands } from './testing/commands.ts';

const PROCESS = new URL('./testing/applying-process.ts', import.meta.url).pathname;
const SEED = 11;
const COMMANDS = 30_000;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/placement-killed-`);
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function start(): ChildProcess {
  const settings = ['--conditions=source', PROCESS, directory, String(SEED), String(COMMANDS)];
  return spawn(process.execPath, settings, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Kills the process after so many batches. */
async function killAfter(batches: number): Promise<void> {
  const child = start();
  let told = 0;
  for await (const text of child.stdout ?? []) {
    told += String(text).length;
    if (told >= batches) break;
  }
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

test('a killed process leaves what its applied index says, and the next one goes on from there', async () => {
  const commands = randomCommands(SEED, COMMANDS);
  const memory = new MemoryRecords();
  let applied = 0;
  for (const batches of [1, 5, 12]) {
    await killAfter(batches);
    const store = await openPlacementStore({ directory, limits: LIMITS_FOR_TESTS });
    expect(store.appliedIndex).toBeGreaterThan(applied);
    for (; applied < store.appliedIndex; applied += 1) {
      const command = commands[applied];
      if (command === undefined) throw new Error(`there is no command ${applied}`);
      memory.apply(applyCommand(memory, command, LIMITS_FOR_TESTS).writes);
    }
    expect(await store.digest()).toBe(memory.digest());
    await store.close();
  }
});
