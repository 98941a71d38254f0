import type { FileSystem } from '@robustmq/environment';
import { METADATA_FILE } from './snapshot-metadata.ts';

/**
 * Removes the directory of a group. The snapshot metadata goes first: a log without it is refused,
 * so that what a deletion left is never taken for a new group.
 */
export async function deleteGroupFiles(fileSystem: FileSystem, directory: string): Promise<void> {
  if ((await fileSystem.status(directory)) === null) return;
  const names = await fileSystem.list(directory);
  if (names.includes(METADATA_FILE)) {
    await fileSystem.unlink(`${directory}/${METADATA_FILE}`);
    await fileSystem.syncDirectory(directory);
  }
  for (const name of names) {
    if (name !== METADATA_FILE) await fileSystem.unlink(`${directory}/${name}`);
  }
  await fileSystem.removeDirectory(directory);
  await fileSystem.syncDirectory(directory.slice(0, directory.lastIndexOf('/')));
}
