import type { FileSystem } from '@robustmq/environment';

/** Removes a directory with all that is in it. Idempotent. */
export async function removeTree(fileSystem: FileSystem, directory: string): Promise<void> {
  if ((await fileSystem.status(directory)) === null) return;
  for (const name of await fileSystem.list(directory)) {
    const path = `${directory}/${name}`;
    const status = await fileSystem.status(path);
    if (status?.kind === 'directory') await removeTree(fileSystem, path);
    else if (status !== null) await fileSystem.unlink(path);
  }
  await fileSystem.removeDirectory(directory);
}
