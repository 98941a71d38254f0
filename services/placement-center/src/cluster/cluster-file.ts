/**
 * Which cluster a data directory belongs to: `cluster.json`, written once, before anything else.
 *
 * A founded cluster is known by its name. One that was restored from a backup has an identity of its
 * own, so that members of the old cluster and of the new one never take each other for their own.
 */
import { type FileSystem, readWholeFile } from '@robustmq/environment';
import { replaceFile } from '@robustmq/record-log';
import { PlacementCenterError } from '../placement-center-error.ts';

export const CLUSTER_FILE = 'cluster.json';

export interface ClusterIdentity {
  readonly clusterName: string;
  readonly clusterId: string;
  /** The numbers of the founding members; empty on a member that joined. */
  readonly founders: readonly number[];
  readonly nodeId: number;
}

/** @returns null for a fresh directory. @throws PlacementCenterError when it is not what this program wrote */
export async function readClusterFile(
  fileSystem: FileSystem,
  directory: string,
): Promise<ClusterIdentity | null> {
  const path = `${directory}/${CLUSTER_FILE}`;
  const bytes = await readWholeFile(fileSystem, path);
  if (bytes === null) return null;
  const identity = parsed(bytes);
  if (identity !== null) return identity;
  throw new PlacementCenterError(
    'PLACEMENT_CENTER_IDENTITY',
    `${path} is damaged: restore it from a copy of this directory, or take this member out with ` +
      '`robustctl place remove` and add a new one',
  );
}

/** Durable on return. */
export async function writeClusterFile(
  fileSystem: FileSystem,
  directory: string,
  identity: ClusterIdentity,
): Promise<void> {
  await fileSystem.makeDirectory(directory);
  const text = `${JSON.stringify(identity, null, 2)}\n`;
  await replaceFile(fileSystem, `${directory}/${CLUSTER_FILE}`, new TextEncoder().encode(text));
}

function parsed(bytes: Uint8Array): ClusterIdentity | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
  const { clusterName, clusterId, founders, nodeId } = (value ?? {}) as Partial<ClusterIdentity>;
  if (typeof clusterName !== 'string' || typeof clusterId !== 'string') return null;
  if (!Number.isInteger(nodeId) || !Array.isArray(founders)) return null;
  if (!founders.every((founder) => Number.isInteger(founder))) return null;
  return { clusterName, clusterId, founders, nodeId: nodeId as number };
}
