import type { CommandRun } from './command-run.ts';

/** `read node=1 id=7`: asks for a read index. */
export const read: CommandRun = (scenario, command) => {
  const node = scenario.node(command.number('node'));
  scenario.feed(node, { kind: 'readIndex', requestId: command.number('id') });
  return '';
};

/** `reads node=1`: what became of the reads since the last time. */
export const reads: CommandRun = (scenario, command) => {
  const heard = scenario.node(command.number('node')).heard.splice(0);
  return heard.length === 0 ? 'nothing\n' : `${heard.join('\n')}\n`;
};
