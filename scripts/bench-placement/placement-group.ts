/** Our placement center as it comes: three members, each durable before it answers. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  freePorts,
  MEMBERS,
  startMember,
  stopMembers,
  type StoreGroup,
  waitFor,
} from './store-group.ts';

interface Readiness {
  readonly leads?: boolean;
}

export async function startPlacementCenter(folder: string, root: string): Promise<StoreGroup> {
  const ports = await freePorts(MEMBERS * 2);
  const indexes = Array.from({ length: MEMBERS }, (_, index) => index);
  const grpcPort = (index: number): number => ports[index * 2] ?? 0;
  const httpPort = (index: number): number => ports[index * 2 + 1] ?? 0;
  const nodes = indexes
    .map((index) => `"${index + 1}" = "127.0.0.1:${grpcPort(index)}"`)
    .join(', ');
  const children = indexes.map((index) => {
    const place = join(folder, `m${index}`);
    mkdirSync(place);
    const configuration = join(place, 'node.toml');
    writeFileSync(
      configuration,
      [
        'cluster_name = "bench"',
        `node_id = ${index + 1}`,
        'addr = "127.0.0.1"',
        `grpc_port = ${grpcPort(index)}`,
        `http_port = ${httpPort(index)}`,
        `nodes = { ${nodes} }`,
        `data_path = ${JSON.stringify(join(place, 'data'))}`,
        '',
      ].join('\n'),
    );
    const command = [join(root, 'scripts/robustctl'), 'placement-center', 'start', configuration];
    return startMember(command, join(folder, 'log'));
  });
  const stop = (): Promise<void> => stopMembers(children);
  try {
    const leader = await waitFor(
      'placement center',
      () => leaderOf(indexes.map(httpPort)),
      children,
    );
    const order = [leader, ...indexes.filter((index) => index !== leader)];
    return {
      endpoints: order.map((index) => `127.0.0.1:${grpcPort(index)}`),
      pids: children.map((child) => child.pid ?? 0),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function leaderOf(httpPorts: readonly number[]): Promise<number | null> {
  for (const [index, port] of httpPorts.entries()) {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
    const readiness = (await response.json()) as Readiness;
    if (readiness.leads === true) return index;
  }
  return null;
}
