/** Which cluster this member belongs to: what its directory says, or what it is about to say. */
import type { FileSystem } from '@robustmq/environment';
import { PlacementCenterError } from '../placement-center-error.ts';
import type { PlacementCenterSettings } from '../settings.ts';
import { type ClusterIdentity, readClusterFile, writeClusterFile } from './cluster-file.ts';

/**
 * @param join  waits for a member that answers and tells its cluster; null: stopped before
 * @throws PlacementCenterError when the directory is another member's, or another cluster's
 */
export async function establishIdentity(
  settings: PlacementCenterSettings,
  fileSystem: FileSystem,
  join: () => Promise<string | null>,
): Promise<ClusterIdentity | null> {
  const { directory, clusterName, nodeId } = settings;
  const known = await readClusterFile(fileSystem, directory);
  if (known !== null) {
    assertOwn(known, settings);
    return known;
  }
  const clusterId = settings.start === 'join' ? await join() : clusterName;
  if (clusterId === null) return null;
  const founders = settings.start === 'join' ? [] : [...settings.nodes.keys()];
  const identity = { clusterName, clusterId, founders, nodeId };
  await writeClusterFile(fileSystem, directory, identity);
  return identity;
}

function assertOwn(known: ClusterIdentity, settings: PlacementCenterSettings): void {
  const { directory, clusterName, nodeId } = settings;
  if (known.clusterName !== clusterName) {
    throw new PlacementCenterError(
      'PLACEMENT_CENTER_IDENTITY',
      `the data in ${directory} belongs to the cluster "${known.clusterName}", but cluster_name is "${clusterName}": ` +
        'correct cluster_name, or name another data_path',
    );
  }
  if (known.nodeId === nodeId) return;
  throw new PlacementCenterError(
    'PLACEMENT_CENTER_IDENTITY',
    `the data in ${directory} is that of member ${String(known.nodeId)}, but node_id is ${String(nodeId)}: ` +
      'correct node_id, or name another data_path',
  );
}

/** What to do when another member refuses this one. */
export function refusalSentence(
  settings: PlacementCenterSettings,
  refusal: { readonly by: number; readonly reason: 'otherCluster' | 'otherMember' },
): string {
  const id = String(settings.nodeId);
  if (refusal.reason === 'otherCluster') {
    return (
      `member ${String(refusal.by)} refuses this one: it belongs to another cluster. ` +
      'Look at cluster_name and nodes; a member of an old cluster does not enter a restored one'
    );
  }
  return (
    `member ${String(refusal.by)} refuses this one: it knows member ${id} with another identity, so this one has lost its disk ` +
    '(or was given another data_path). What it promised is lost with it, so it does not come back under its old number. ' +
    `Take it out with \`robustctl place remove ${id}\`, give it a new node_id N, an empty data_path and join = true, ` +
    'start it, and add it with `robustctl place add-learner N HOST:PORT` and `robustctl place promote N`'
  );
}

/** What to do with a member that the others have removed. */
export function removedSentence({ nodeId, directory }: PlacementCenterSettings): string {
  return (
    `member ${String(nodeId)} was removed from the cluster, and its number is used up. To let this machine take part again, ` +
    `give it a new node_id and join = true, move ${directory} away, start it, and add it with \`robustctl place add-learner\``
  );
}
