/** Applies commands until it is killed: `applying-process.ts <directory> <seed> <count>`. */
import type { LogIndex } from '@robustmq/raft';
import { openPlacementStore } from '../open-placement-store.ts';
import { entriesOf, LIMITS_FOR_TESTS, randomCommands } from './commands.ts';

const [directory = '', seed = '', count = ''] = process.argv.slice(2);
const store = await openPlacementStore({ directory, limits: LIMITS_FOR_TESTS });
const commands = randomCommands(Number(seed), Number(count));
while (store.appliedIndex < commands.length) {
  const first = store.appliedIndex;
  const batch = commands.slice(first, first + 300);
  await store.apply(entriesOf(batch, first), (first + batch.length) as LogIndex);
  process.stdout.write('.');
}
process.stdout.write('done');
