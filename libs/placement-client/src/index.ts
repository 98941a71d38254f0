export { connectPlacement, type PlacementConnectionOptions } from './connect-placement.ts';
export { connectEtcd, type EtcdConnectionOptions, type EtcdTls } from './etcd/connect-etcd.ts';
export { keepLeaseAlive, type KeptLease, type LeaseKeeperOptions } from './lease-keeper.ts';
export {
  type ClientEnvironment,
  defaultRemoteCallLimits,
  type RemoteCallLimits,
} from './remote-calls.ts';
export type { RemotePlacementOptions } from './remote-placement.ts';
export type { ListLeases } from './server/lease-calls.ts';
export { placementHandlers, type PlacementHandlersOptions } from './server/serve-placement.ts';
