export { connectPlacement, type PlacementConnectionOptions } from './connect-placement.ts';
export { keepLeaseAlive, type KeptLease, type LeaseKeeperOptions } from './lease-keeper.ts';
export {
  type ClientEnvironment,
  defaultRemoteCallLimits,
  type RemoteCallLimits,
} from './remote-calls.ts';
export type { ListLeases } from './server/lease-calls.ts';
export { placementHandlers, type PlacementHandlersOptions } from './server/serve-placement.ts';
