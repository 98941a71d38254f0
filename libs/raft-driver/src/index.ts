export { ENTRY_HEADER_BYTES } from './entry-codec.ts';
export type { EntryPlace } from './entry-places.ts';
export { type InspectedSegment, inspectLog } from './inspect-log.ts';
export type { GroupLog, LogSegmentView } from './group-log.ts';
export type { DamagedBatch, LookPlace, SegmentLook } from './log-repair.ts';
export { MemoryPeerNetwork } from './memory-peer-network.ts';
export { openRaftHost } from './open-raft-host.ts';
export type { PeerTransport } from './peer-transport.ts';
export { RaftError } from './raft-error.ts';
export type { ProposalStages, Proposed, RaftFault, RaftGroup } from './raft-group.ts';
export type {
  CompactionOptions,
  PeerRefusal,
  RaftBootstrap,
  RaftEnvironment,
  RaftGroupOptions,
  RaftHost,
  RaftHostCounters,
  RaftHostOptions,
} from './raft-host.ts';
export type { MachineSnapshot, StateMachine } from './state-machine.ts';
