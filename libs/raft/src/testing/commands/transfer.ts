import type { NodeId } from '../../identifiers.ts';
import type { CommandRun } from './command-run.ts';

/** `transfer node=1 to=2`. */
export const transfer: CommandRun = (scenario, command) => {
  const node = scenario.node(command.number('node'));
  const to = command.number('to') as NodeId;
  const output = scenario.feed(node, { kind: 'transferLeadership', to });
  return output?.proposal?.kind === 'refused' ? `refused: ${output.proposal.reason}\n` : '';
};

/** `suspect node=2 of=1`: node-level liveness tells node 2 that node 1 is gone. */
export const suspect: CommandRun = (scenario, command) => {
  const node = command.number('of') as NodeId;
  scenario.feed(scenario.node(command.number('node')), { kind: 'nodeSuspected', node });
  return '';
};
