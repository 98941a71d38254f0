/** Who leads, as an operator finds out: `robustctl place status`. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PlacementCluster } from './placement-cluster.ts';

const MAIN = fileURLToPath(new URL('../../../robustctl/dist/main.js', import.meta.url));
const ATTEMPTS = 50;

export interface GroupStatus {
  readonly leader: number;
  readonly term: number;
}

interface PlaceStatus {
  readonly members: readonly { readonly leaderId: number; readonly term: number }[];
}

/** Asks until the members know of a leader. */
export async function statusOf(cluster: PlacementCluster): Promise<GroupStatus> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { members } = await askOnce(cluster);
    const newest = members.toSorted((left, right) => right.term - left.term)[0];
    if (newest !== undefined && newest.leaderId > 0) {
      return { leader: newest.leaderId, term: newest.term };
    }
  }
  throw new Error(`the members know of no leader\n${cluster.lastWords()}`);
}

async function askOnce(cluster: PlacementCluster): Promise<PlaceStatus> {
  const words = ['place', 'status', '--server', cluster.servers.join(','), '--output', 'json'];
  const environment = { ...process.env, ROBUSTMQ_CLUSTER_TOKEN: cluster.token };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words], {
      env: environment,
    });
    return JSON.parse(stdout) as PlaceStatus;
  } catch {
    return { members: [] }; // Some member is down; those that are up are asked again.
  }
}
