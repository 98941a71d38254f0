import type { CommandRun } from './command-run.ts';

/** `snapshot node=1`: takes one at the last applied entry and compacts the log up to it. */
export const snapshot: CommandRun = (scenario, command) => {
  scenario.takeSnapshot(scenario.node(command.number('node')));
  return '';
};
