import type { CommandRun } from './command-run.ts';

/** `crash node=1`: memory and what is not flushed are gone. */
export const crash: CommandRun = (scenario, command) => {
  scenario.crash(scenario.node(command.number('node')));
  return '';
};

/** `restart node=1`: from what its disk holds. */
export const restart: CommandRun = (scenario, command) => {
  scenario.start(scenario.node(command.number('node')));
  return '';
};
