/** Our placement center as it comes: three members, each durable before it answers. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../command.ts';
import {
  freePorts,
  MEMBERS,
  startMember,
  stopMembers,
  type StoreGroup,
  waitFor,
} from './store-group.ts';

interface PlaceStatus {
  readonly members: readonly { readonly nodeId: number; readonly role: string }[];
}

export async function startPlacementCenter(folder: string, root: string): Promise<StoreGroup> {
  const ports = await freePorts(MEMBERS);
  const indexes = Array.from({ length: MEMBERS }, (_, index) => index);
  const grpcPort = (index: number): number => ports[index] ?? 0;
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
        'http_port = "off"',
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
      () =>
        leaderOf(
          root,
          indexes.map((index) => `127.0.0.1:${grpcPort(index)}`),
        ),
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

async function leaderOf(root: string, servers: readonly string[]): Promise<number | null> {
  const words = ['place', 'status', '--server', servers.join(','), '--output', 'json'];
  const command = [join(root, 'scripts/robustctl'), ...words];
  const result = await runCommand(command, { environment: {}, limitMs: 10_000, signal: null });
  if (result.exitCode !== 0) return null;
  const { members } = JSON.parse(result.output) as PlaceStatus;
  const leader = members.find((member) => member.role === 'leader');
  return leader === undefined ? null : leader.nodeId - 1;
}
