/**
 * An etcd that somebody already runs, as a `Placement`: the same keys, the same registries.
 *
 * Transactions, comparisons, leases, revisions and watches are etcd's own. Request ids are markers
 * (`request-markers.ts`). etcd takes at most 128 operations in a transaction, unless it was started with
 * another `--max-txn-ops`, and needs leases of two seconds or more.
 */

import { type Placement, PlacementError } from '@robustmq/placement';
import type { Etcd3, IOptions } from 'etcd3';
import type { PlacementServer, PlacementServers } from '../placement-server.ts';
import { RemotePlacement, type RemotePlacementOptions } from '../remote-placement.ts';
import { EtcdServer } from './etcd-server.ts';

/** How to reach etcd. */
export interface EtcdConnectionOptions extends RemotePlacementOptions {
  /** As `http://host:port`, or `https://host:port`; at least one. */
  readonly hosts: readonly string[];
  /** A user of etcd; null: none. */
  readonly credentials: { readonly username: string; readonly password: string } | null;
  /** PEM; null: as the hosts say, with the authorities of the system. */
  readonly tls: EtcdTls | null;
}

/** Certificates for etcd, in PEM. */
export interface EtcdTls {
  readonly authority: Uint8Array;
  /** null: no certificate of the client. */
  readonly client: { readonly certificate: Uint8Array; readonly key: Uint8Array } | null;
}

/** Loads the client of etcd; connects with the first call. @throws PlacementError PLACEMENT_INVALID */
export async function connectEtcd(options: EtcdConnectionOptions): Promise<Placement> {
  if (options.hosts.length === 0) {
    throw new PlacementError({ code: 'PLACEMENT_INVALID', detail: 'no host of etcd is given' });
  }
  const { Etcd3: Client } = await import('etcd3');
  const client = new Client(clientOptions(options));
  return new RemotePlacement(new EtcdServers(client, options), options);
}

/** Whoever calls decides whether a call may be repeated: the client repeats nothing by itself. */
const ONCE = { execute: async (action: () => unknown): Promise<unknown> => action() };

function clientOptions({ hosts, credentials, tls }: EtcdConnectionOptions): IOptions {
  const policy = ONCE as unknown as NonNullable<NonNullable<IOptions['faultHandling']>['global']>;
  return {
    hosts: [...hosts],
    faultHandling: { global: policy, host: () => policy },
    grpcOptions: {
      'grpc.max_receive_message_length': -1,
      'grpc.keepalive_time_ms': 5_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.enable_http_proxy': 0,
    },
    ...(credentials === null ? {} : { auth: { ...credentials } }),
    ...(tls === null ? {} : { credentials: certificatesOf(tls) }),
  };
}

function certificatesOf({ authority, client }: EtcdTls): NonNullable<IOptions['credentials']> {
  const rootCertificate = Buffer.from(authority);
  if (client === null) return { rootCertificate };
  const certChain = Buffer.from(client.certificate);
  return { rootCertificate, certChain, privateKey: Buffer.from(client.key) };
}

/** etcd3 chooses among the hosts itself, another one for each call. */
class EtcdServers implements PlacementServers {
  readonly addresses: readonly string[];
  readonly #client: Etcd3;
  readonly #server: EtcdServer;

  constructor(client: Etcd3, { hosts, clock, random }: EtcdConnectionOptions) {
    this.#client = client;
    this.addresses = hosts;
    this.#server = new EtcdServer(client, { address: hosts.join(', '), clock, random });
  }

  current(): PlacementServer {
    return this.#server;
  }

  followLeader(): boolean {
    return false;
  }

  passOver(): void {
    // The next call goes to another host anyway.
  }

  close(): void {
    this.#client.close();
  }
}
