export type { Proposed, RaftFault, RaftGroup } from './raft-group.ts';
export type { PeerTransport } from './peer-transport.ts';
export type { MachineSnapshot, StateMachine } from './state-machine.ts';
