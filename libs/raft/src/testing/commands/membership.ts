import type { MembershipChange } from '../../configuration.ts';
import type { NodeId } from '../../identifiers.ts';
import { describeConfiguration } from '../describe.ts';
import type { CommandRun } from './command-run.ts';

/** `join node=4`: a fresh node that knows nobody. */
export const join: CommandRun = (scenario, command) => {
  scenario.add(command.number('node') as NodeId, null);
  return '';
};

/** `change node=1 [add-learner=(4)] [promote=(4)] [demote=(2)] [remove=(3)]`: asks node 1. */
export const change: CommandRun = (scenario, command) => {
  const changes: MembershipChange[] = [
    ...changesOf('addLearner', command.numbers('add-learner')),
    ...changesOf('promote', command.numbers('promote')),
    ...changesOf('demote', command.numbers('demote')),
    ...changesOf('remove', command.numbers('remove')),
  ];
  const node = scenario.node(command.number('node'));
  const output = scenario.feed(node, { kind: 'proposeMembership', changes });
  return output?.proposal?.kind === 'refused' ? `${output.proposal.reason}\n` : '';
};

/** `configuration [node=1]`: the one in force. */
export const configuration: CommandRun = (scenario, command) =>
  [...scenario.nodes.values()]
    .filter((node) => !command.has('node') || node.id === command.number('node'))
    .map(({ id, state }) =>
      state === null ? '' : `${id}: ${describeConfiguration(state.configuration)}\n`,
    )
    .join('');

function changesOf(kind: MembershipChange['kind'], nodes: readonly number[]): MembershipChange[] {
  return nodes.map((node) => ({ kind, node: node as NodeId }));
}
