export type { Controller, ControllerFailure } from './controllers.ts';
export { MEMBER_KEYS, removedKey } from './member-addresses.ts';
export type { MemberOperations, MemberStatus } from './member-operations.ts';
export { openPlacementNode } from './open-placement-node.ts';
export type {
  Backup,
  LeasePage,
  PlacementNode,
  PlacementNodeCounters,
  PlacementNodeOptions,
  PlacementNodeStatus,
} from './placement-node.ts';
