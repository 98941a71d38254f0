import type { CommandRun } from './command-run.ts';

/** `hold-disk node=1`: flushes take for ever, until `flush`. */
export const holdDisk: CommandRun = (scenario, command) => {
  scenario.node(command.number('node')).diskHeld = true;
  return '';
};

/** `flush node=1`: everything written is durable now, and flushes are quick again. */
export const flush: CommandRun = (scenario, command) => {
  const node = scenario.node(command.number('node'));
  node.diskHeld = false;
  scenario.flush(node);
  return '';
};
