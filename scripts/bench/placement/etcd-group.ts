/** Debian's etcd as it comes: three members, fsync on, its own defaults. */

import { join } from 'node:path';
import {
  freePorts,
  MEMBERS,
  startMember,
  stopMembers,
  type StoreGroup,
  waitFor,
} from './store-group.ts';

interface EtcdStatus {
  readonly leader?: string;
  readonly header?: { readonly member_id?: string };
}

export async function startEtcd(folder: string): Promise<StoreGroup> {
  const ports = await freePorts(MEMBERS * 2);
  const clientUrl = (index: number): string => `http://127.0.0.1:${ports[index * 2]}`;
  const peerUrl = (index: number): string => `http://127.0.0.1:${ports[index * 2 + 1]}`;
  const indexes = Array.from({ length: MEMBERS }, (_, index) => index);
  const founders = indexes.map((index) => `m${index}=${peerUrl(index)}`).join(',');
  const children = indexes.map((index) =>
    startMember(
      [
        ...['etcd', '--name', `m${index}`, '--data-dir', join(folder, `m${index}`)],
        ...['--listen-client-urls', clientUrl(index), '--advertise-client-urls', clientUrl(index)],
        ...['--listen-peer-urls', peerUrl(index), '--initial-advertise-peer-urls', peerUrl(index)],
        ...['--initial-cluster', founders, '--initial-cluster-token', folder],
        ...['--log-level', 'error', '--quota-backend-bytes', String(8 * 2 ** 30)],
      ],
      join(folder, 'log'),
    ),
  );
  const stop = (): Promise<void> => stopMembers(children);
  try {
    const leader = await waitFor('etcd', () => leaderOf(indexes.map(clientUrl)), children);
    const order = [leader, ...indexes.filter((index) => index !== leader)];
    return {
      endpoints: order.map((index) => `127.0.0.1:${ports[index * 2]}`),
      pids: children.map((child) => child.pid ?? 0),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function leaderOf(urls: readonly string[]): Promise<number | null> {
  for (const [index, url] of urls.entries()) {
    const response = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    const status = (await response.json()) as EtcdStatus;
    if (status.leader !== undefined && status.leader === status.header?.member_id) return index;
  }
  return null;
}
