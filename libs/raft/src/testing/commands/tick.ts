import type { CommandRun } from './command-run.ts';

/** `tick [node=1] [count=5] [settle]`: time passes, for everyone when no node is named. */
export const tick: CommandRun = (scenario, command) => {
  const count = command.has('count') ? command.number('count') : 1;
  for (let ticks = 0; ticks < count; ticks += 1) {
    for (const node of scenario.nodes.values()) {
      if (command.has('node') && command.number('node') !== node.id) continue;
      scenario.feed(node, { kind: 'tick' });
    }
    if (command.has('settle')) scenario.settle();
  }
  return '';
};
