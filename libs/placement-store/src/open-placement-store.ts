import { type FileSystem, nodeFileSystem } from '@robustmq/environment';
import {
  assertSameLimits,
  DEFAULT_STATE_MACHINE_LIMITS,
  type StateMachineLimits,
} from '@robustmq/placement';
import { checkDatabase } from './check-database.ts';
import { type Database, openDatabase } from './level-database.ts';
import { LevelPlacementStore, type StoreParts } from './level-placement-store.ts';
import type { PlacementStore } from './placement-store.ts';
import { PlacementStoreError } from './placement-store-error.ts';
import { openStateDirectory, type StateDirectory } from './state-directory.ts';
import { storedMeta } from './stored-reads.ts';

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
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const limits = options.limits ?? DEFAULT_STATE_MACHINE_LIMITS;
  const directory = await openStateDirectory(fileSystem, options.directory);
  try {
    const database = await openState(fileSystem, directory);
    return await storeOn({ fileSystem, directory, database, limits });
  } catch (error) {
    await directory.release();
    throw error;
  }
}

async function storeOn(parts: StoreParts): Promise<PlacementStore> {
  try {
    assertSameLimits(storedMeta(parts.database), parts.limits);
    return new LevelPlacementStore(parts);
  } catch (error) {
    await parts.database.close();
    const text = error instanceof Error ? error.message : String(error);
    const detail = `${parts.directory.path} can't be read: ${text}; use the version that wrote it, or move the directory away and let this member join anew`;
    throw new PlacementStoreError(
      { code: 'PLACEMENT_STORE_UNKNOWN_FORMAT', detail },
      { cause: error },
    );
  }
}

async function openState(fileSystem: FileSystem, directory: StateDirectory): Promise<Database> {
  if (!directory.isNew) {
    await directory.removeOthers();
    await checkDatabase(fileSystem, directory.path);
    return openDatabase(directory.path, 'existing');
  }
  const database = await openDatabase(await directory.prepareNext(), 'new');
  await directory.switchToNext();
  return database;
}
