import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { nodeFileSystem } from '@robustmq/environment';
import { openBackupFile, restoreBackup } from '@robustmq/placement-center';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print } from '../output.ts';
import { onMember } from './cluster-calls.ts';
import { assertAddress, connectionFrom } from './connection.ts';
import type { ServerFlags } from './server-flags.ts';

/** `place backup FILE`: from the first member named; the file appears when it is whole and checked. */
export async function runBackup(path: string, flags: ServerFlags): Promise<void> {
  const connection = connectionFrom(flags);
  const [server = ''] = connection.servers;
  if (existsSync(path)) {
    throw new CommandError(ExitCode.inputOutput, `${path} exists already: name a new file`);
  }
  const partial = `${path}.partial`;
  try {
    const file = openFile(partial);
    try {
      await onMember(connection, server, async (client) => {
        const pieces = client.backup({}, { signal: null, metadata: {} });
        for await (const { content } of pieces) writeSync(file, content);
      });
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    const { header } = await checked(partial);
    renameSync(partial, path);
    const { revision, clusterName, index } = header;
    if (flags.output === 'json') print(JSON.stringify({ file: path, ...header }));
    else {
      print(
        `${path}: "${clusterName}" at revision ${String(revision)} (log index ${String(index)})`,
      );
    }
  } finally {
    rmSync(partial, { force: true });
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(ExitCode.inputOutput, `${path} can't be written: ${reason}`, {
      cause: error,
    });
  }
}

async function checked(path: string): Promise<Awaited<ReturnType<typeof openBackupFile>>> {
  try {
    return await openBackupFile(nodeFileSystem, path);
  } catch (error) {
    throw backupError(error);
  }
}

export interface RestoreFlags {
  readonly data: string;
  readonly clusterName?: string;
  readonly nodeId: number;
  readonly address: string;
}

/** `place restore FILE` */
export async function runRestore(file: string, flags: RestoreFlags): Promise<void> {
  assertAddress(flags.address);
  const backup = await checked(file);
  const clusterName = flags.clusterName ?? backup.header.clusterName;
  const { data, nodeId, address } = flags;
  try {
    const restored = await restoreBackup({ file, directory: data, clusterName, nodeId, address });
    print(
      `${data}: a new cluster "${clusterName}" with the content of revision ${String(restored.header.revision)}`,
    );
    print(`Start it with cluster_name = "${clusterName}", node_id = ${String(nodeId)},`);
    print(`nodes = { ${String(nodeId)} = "${address}" } and data_path = "${data}".`);
  } catch (error) {
    throw backupError(error);
  }
}

function backupError(error: unknown): CommandError {
  const message = error instanceof Error ? error.message : String(error);
  return new CommandError(ExitCode.inputOutput, message, { cause: error });
}
