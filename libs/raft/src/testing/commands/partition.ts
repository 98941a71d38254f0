import type { NodeId } from '../../identifiers.ts';
import type { CommandRun } from './command-run.ts';

/** `partition a=(1,2) b=(3,4,5)`: messages between the sides are lost when they would arrive. */
export const partition: CommandRun = (scenario, command) => {
  const sides = [command.numbers('a'), command.numbers('b')];
  scenario.partitions = sides.map((side) => side.map((id) => id as NodeId));
  return '';
};

/** `heal`: everyone hears everyone. */
export const heal: CommandRun = (scenario) => {
  scenario.partitions = [];
  return '';
};
