import type { Entry } from '../../entry.ts';
import type { LogIndex, NodeId, Term } from '../../identifiers.ts';
import type { RaftOptions } from '../../options.ts';
import type { CommandRun } from './command-run.ts';

/** `cluster nodes=3 [quiesce-after=4] [snapshot-bytes=4] [reads=lease]`: founds a group of voters. */
export const cluster: CommandRun = (scenario, command) => {
  const count = command.number('nodes');
  const voters = Array.from({ length: count }, (_, at) => (at + 1) as NodeId);
  const options: Partial<RaftOptions> = {
    ...(command.has('quiesce-after') && { quiesceAfterTicks: command.number('quiesce-after') }),
    ...(command.has('snapshot-bytes') && {
      snapshotChunkBytesMax: command.number('snapshot-bytes'),
    }),
    ...(command.has('append-bytes') && { appendBytesMax: command.number('append-bytes') }),
    ...(command.has('inflight') && { inflightMessagesMax: command.number('inflight') }),
    ...(command.has('reads') && { reads: 'lease' as const }),
  };
  scenario.found(voters, options);
  return '';
};

/** `given node=1 log=(1,1,2) [term=2]`: restarts a node with this log on disk. */
export const given: CommandRun = (scenario, command) => {
  const node = scenario.node(command.number('node'));
  scenario.crash(node);
  const terms = command.numbers('log');
  node.entries = terms.map((term, at): Entry => {
    const data = new TextEncoder().encode(`${term}`);
    return { kind: 'data', term: term as Term, index: (at + 1) as LogIndex, data };
  });
  const term = command.has('term') ? command.number('term') : Math.max(0, ...terms);
  node.hardState = { term: term as Term, votedFor: null };
  scenario.start(node);
  return '';
};
