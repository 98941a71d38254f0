import type { CommandRun } from './command-run.ts';

/** `campaign node=1`: time passes for this node alone until its election timeout ends. */
export const campaign: CommandRun = (scenario, command) => {
  const node = scenario.node(command.number('node'));
  for (let ticks = 0; ticks < 40; ticks += 1) {
    scenario.feed(node, { kind: 'tick' });
    if (node.state?.electionElapsedTicks === 0) return '';
  }
  return `${node.id}: did not campaign`;
};
