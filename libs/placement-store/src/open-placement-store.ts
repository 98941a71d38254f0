import { type FileSystem, nodeFileSystem } from '@robustmq/environment';
import { DEFAULT_DATABASE_MEMORY, type LevelState, openLevelState } from '@robustmq/level-state';
import { DEFAULT_STATE_MACHINE_LIMITS, type StateMachineLimits } from '@robustmq/placement';
import { LevelPlacementStore } from './level-placement-store.ts';
import type { PlacementStore } from './placement-store.ts';
import { PlacementStoreError, placementStoreFault } from './placement-store-error.ts';

const FORMAT = { name: 'robustmq-placement', version: 1 } as const;

export interface PlacementStoreOptions {
  /** Created when absent; one process at a time. */
  readonly directory: string;
  /** The same on every member of the group. */
  readonly limits?: StateMachineLimits;
  /** For the pointer to the state, the lock and flushes; the database opens its own files. */
  readonly fileSystem?: FileSystem;
}

/** Opens the state in the directory, an empty one when there is none. @throws PlacementStoreError */
export async function openPlacementStore(options: PlacementStoreOptions): Promise<PlacementStore> {
  const state = await openState(options);
  try {
    return new LevelPlacementStore(state, options.limits ?? DEFAULT_STATE_MACHINE_LIMITS);
  } catch (error) {
    await state.close();
    const text = error instanceof Error ? error.message : String(error);
    const detail = `the state in ${options.directory} can't be read: ${text}; use the version that wrote it, or move the directory away and let this member join anew`;
    throw new PlacementStoreError(
      { code: 'PLACEMENT_STORE_UNKNOWN_FORMAT', detail },
      { cause: error },
    );
  }
}

async function openState(options: PlacementStoreOptions): Promise<LevelState> {
  try {
    return await openLevelState({
      directory: options.directory,
      format: FORMAT,
      fileSystem: options.fileSystem ?? nodeFileSystem,
      memory: DEFAULT_DATABASE_MEMORY,
    });
  } catch (error) {
    throw placementStoreFault(error);
  }
}
