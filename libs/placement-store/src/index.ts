export { openPlacementStore, type PlacementStoreOptions } from './open-placement-store.ts';
export type {
  PlacementStore,
  PlacementStoreStats,
  StoredLease,
  StoreSnapshot,
} from './placement-store.ts';
export { PlacementStoreError, type PlacementStoreFault } from './placement-store-error.ts';
