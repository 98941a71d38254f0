/** Applies batches and kills itself while one is under way: `dying-process.ts <directory> <batches>`. */
import { setImmediate } from 'node:timers/promises';
import type { CommandResult } from '@robustmq/placement';
import type { LogIndex } from '@robustmq/raft';
import { openPlacementStore } from '../open-placement-store.ts';
import { entriesOf, LIMITS_FOR_TESTS, randomCommands } from './commands.ts';
import { BATCH_COMMANDS, COMMANDS, SEED } from './dying-process-plan.ts';

const [directory = '', batches = ''] = process.argv.slice(2);
const store = await openPlacementStore({ directory, limits: LIMITS_FOR_TESTS });
const commands = randomCommands(SEED, COMMANDS);

function applyNext(): Promise<readonly CommandResult[]> {
  const first = store.appliedIndex;
  const batch = commands.slice(first, first + BATCH_COMMANDS);
  return store.apply(entriesOf(batch, first), (first + batch.length) as LogIndex);
}

for (let done = 0; done < Number(batches); done += 1) await applyNext();
void applyNext();
for (let turns = 0; turns < Number(batches); turns += 1) await setImmediate();
process.kill(process.pid, 'SIGKILL');
