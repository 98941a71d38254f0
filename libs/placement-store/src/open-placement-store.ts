import type { FileSystem } from '@robustmq/environment';
import type { StateMachineLimits } from '@robustmq/placement';
import type { PlacementStore } from './placement-store.ts';
import { PlacementStoreError } from './placement-store-error.ts';

export interface PlacementStoreOptions {
  /** Created when absent; one process at a time. */
  readonly directory: string;
  /** The same on every member of the group. */
  readonly limits?: StateMachineLimits;
  /** For the pointer to the state and the lock; the database has its own files. */
  readonly fileSystem?: FileSystem;
}

/** Opens the state in the directory, an empty one when there is none. @throws PlacementStoreError */
export async function openPlacementStore(options: PlacementStoreOptions): Promise<PlacementStore> {
  const detail = `${options.directory} can't be opened yet`;
  throw new PlacementStoreError({ code: 'PLACEMENT_STORE_CLOSED', detail });
}
