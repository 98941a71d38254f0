export {
  type Configuration,
  configurationOf,
  isJoint,
  isVoter,
  type MembershipChange,
  membersOf,
} from './configuration.ts';
export { type DataEntry, type Entry, entryBytes, type MembershipEntry } from './entry.ts';
export {
  type EntryId,
  LOG_START,
  type LogIndex,
  type NodeId,
  type PersistNumber,
  type Term,
} from './identifiers.ts';
export type { RaftInput } from './input.ts';
export { holdsLease } from './lease.ts';
export type { EarlierEntries } from './log.ts';
export type { RaftMessage, SnapshotMetadata } from './message.ts';
export { defaultRaftOptions, leaseTicksFor, type RaftOptions } from './options.ts';
export type {
  HardState,
  LogRead,
  Persist,
  ProposalOutcome,
  ProposalRefusal,
  RaftOutput,
  ReadReady,
  SnapshotRead,
  SnapshotWrite,
} from './output.ts';
export { step } from './raft.ts';
export { RAFT_RULES, type RaftRules } from './rules.ts';
export { snapshotMetadataAt } from './snapshot.ts';
export {
  bootstrapSnapshot,
  newRaftState,
  newRaftStateWithRules,
  NO_HARD_STATE,
  type RaftStart,
} from './start.ts';
export type { RaftState } from './state.ts';
export { type FollowerStatus, type RaftStatus, statusOf } from './status.ts';
