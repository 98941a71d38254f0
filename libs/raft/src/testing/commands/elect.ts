import type { ScenarioCommand } from '@robustmq/datadriven';
import type { NodeId } from '../../identifiers.ts';
import type { ScenarioCluster } from '../cluster.ts';
import { campaign } from './campaign.ts';
import type { CommandRun } from './command-run.ts';

/**
 * `elect node=1 votes=(2,3)`: this node wins an election with these votes; what it sends as a
 * leader is lost. The others forget any earlier leader first.
 */
export const elect: CommandRun = (scenario, command) => {
  const votes = command.numbers('votes').map((id) => id as NodeId);
  const id = command.number('node') as NodeId;
  forgetLeaders(scenario, votes);
  campaign(scenario, command);
  const before = scenario.partitions;
  scenario.partitions = [[id, ...votes]];
  for (let round = 0; round < 6 && scenario.node(id).state?.role.kind !== 'leader'; round += 1) {
    const { mail } = scenario;
    scenario.mail = [];
    for (const message of mail) scenario.deliver(message);
  }
  scenario.mail = [];
  scenario.partitions = before;
  return notElected(scenario, command);
};

function forgetLeaders(scenario: ScenarioCluster, nodes: readonly NodeId[]): void {
  for (const id of nodes) {
    const { state } = scenario.node(id);
    if (state !== null) state.leaderHeardTicksLeft = 0;
  }
}

function notElected(scenario: ScenarioCluster, command: ScenarioCommand): string {
  const { state } = scenario.node(command.number('node'));
  return state?.role.kind === 'leader' ? '' : `${state?.id}: not elected\n`;
}
