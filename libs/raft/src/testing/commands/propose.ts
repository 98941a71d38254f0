import type { CommandRun } from './command-run.ts';

/** `propose node=1 data=x [count=3]`. */
export const propose: CommandRun = (scenario, command) => {
  const node = scenario.node(command.number('node'));
  const count = command.has('count') ? command.number('count') : 1;
  const payloads = Array.from({ length: count }, () =>
    new TextEncoder().encode(command.text('data')),
  );
  const output = scenario.feed(node, { kind: 'propose', payloads });
  if (output?.proposal?.kind !== 'refused') return '';
  return `refused: ${output.proposal.reason}, leader=${output.proposal.leader ?? '-'}\n`;
};
