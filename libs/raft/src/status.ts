import type { Configuration } from './configuration.ts';
import type { LogIndex, NodeId, Term } from './identifiers.ts';
import { leaderOf, type RaftState, type Role } from './state.ts';

/** What an operator or a driver may want to know; a copy, never the state itself. */
export interface RaftStatus {
  readonly id: NodeId;
  readonly term: Term;
  readonly role: Role['kind'];
  /** null while unknown. */
  readonly leader: NodeId | null;
  readonly commitIndex: LogIndex;
  readonly deliveredIndex: LogIndex;
  readonly durableIndex: LogIndex;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly snapshotIndex: LogIndex;
  readonly configuration: Configuration;
  /** On the leader, one per other member; empty elsewhere. */
  readonly followers: readonly FollowerStatus[];
}

export interface FollowerStatus {
  readonly node: NodeId;
  readonly mode: 'probe' | 'replicate' | 'snapshot';
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
}

export function statusOf(state: RaftState): RaftStatus {
  const { log, role } = state;
  const progress = role.kind === 'leader' ? [...role.progress] : [];
  return {
    id: state.id,
    term: state.term,
    role: role.kind,
    leader: leaderOf(state),
    commitIndex: state.commitIndex,
    deliveredIndex: state.deliveredIndex,
    durableIndex: state.durableIndex,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    snapshotIndex: state.snapshot.last.index,
    configuration: state.configuration,
    followers: progress.map(([node, { mode, matchIndex, nextIndex }]) => ({
      node,
      mode,
      matchIndex,
      nextIndex,
    })),
  };
}
