import type { Configuration } from '../configuration.ts';
import type { LogIndex, Term } from '../identifiers.ts';
import type { RaftMessage } from '../message.ts';
import { leaderOf, type RaftState } from '../state.ts';
import type { ScenarioNode } from './cluster.ts';

/** `1: leader term=2 log=(1,2) commit=1`: `log` lists the term of each entry; `…3` is compacted. */
export function describeNode(node: ScenarioNode): string {
  const { state, id } = node;
  if (state === null) return `${id}: down`;
  const asleep = state.quiescent ? ' asleep' : '';
  return (
    `${id}: ${state.role.kind} term=${state.term} log=(${termsOf(state).join(',')}) ` +
    `commit=${state.commitIndex} leader=${leaderOf(state) ?? '-'}${asleep}`
  );
}

export function describeConfiguration(configuration: Configuration): string {
  const { voters, outgoing, learners, learnersNext } = configuration;
  const parts = [`voters=(${voters.join(',')})`];
  if (outgoing.length > 0) parts.push(`outgoing=(${outgoing.join(',')})`);
  if (learners.length > 0) parts.push(`learners=(${learners.join(',')})`);
  if (learnersNext.length > 0) parts.push(`learners-next=(${learnersNext.join(',')})`);
  return parts.join(' ');
}

export function describeMessage(message: RaftMessage): string {
  return `${message.from}->${message.to} ${message.kind} term=${message.term}${detailsOf(message)}`;
}

function detailsOf(message: RaftMessage): string {
  switch (message.kind) {
    case 'appendRequest': {
      const terms = message.entries.map((entry) => entry.term).join(',');
      const { previous, commitIndex } = message;
      return ` previous=${previous.index}.${previous.term} entries=(${terms}) commit=${commitIndex}`;
    }
    case 'appendAccepted':
      return ` match=${message.matchIndex}`;
    case 'appendRejected': {
      const { previousIndex, conflict } = message;
      return ` previous=${previousIndex} conflict=${conflict.index}.${conflict.term}`;
    }
    case 'voteResponse':
    case 'preVoteResponse':
      return message.granted ? ' granted' : ' refused';
    case 'snapshotChunk':
      return ` last=${message.snapshot.last.index} offset=${message.offset}${message.done ? ' done' : ''}`;
    case 'snapshotChunkResponse':
      return ` next=${message.nextOffset}`;
    case 'heartbeat':
      return ` commit=${message.commitIndex}${message.quiesce ? ' quiesce' : ''}`;
    default:
      return '';
  }
}

function termsOf(state: RaftState): readonly (Term | string)[] {
  const { base, firstIndex, lastIndex } = state.log;
  const terms: (Term | string)[] = base.index > 0 ? [`…${base.index}`] : [];
  for (let index = firstIndex as number; index <= lastIndex; index += 1) {
    terms.push(state.log.termAt(index as LogIndex) as Term);
  }
  return terms;
}
