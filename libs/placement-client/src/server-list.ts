/**
 * Which server of the placement center to ask next: the leader that was named last, else one after the
 * other.
 *
 * Servers that are named as leader and are not in the list are remembered, too, up to a bound: members
 * may have been added since the list was written.
 */

import type { RpcChannelOptions } from '@robustmq/rpc';
import { GrpcServer } from './grpc-server.ts';
import type { PlacementServer, PlacementServers } from './placement-server.ts';

/** LIMIT: namedServersMax (leaders outside of the list; the one named first is forgotten). */
const namedServersMax = 16;

/** Opens a connection to a server when it is its turn for the first time. */
export class ServerList implements PlacementServers {
  readonly addresses: readonly string[];
  readonly #channelOptions: Omit<RpcChannelOptions, 'address'>;
  /** By address, in the order in which they were opened. */
  readonly #open = new Map<string, GrpcServer>();
  #next = 0;
  #leader: string | null = null;

  /** @param addresses  as `host:port`; at least one */
  constructor(addresses: readonly string[], options: Omit<RpcChannelOptions, 'address'>) {
    this.addresses = [...new Set(addresses)];
    this.#channelOptions = options;
  }

  current(): PlacementServer {
    return this.#server(this.#currentAddress());
  }

  followLeader(server: PlacementServer, leader: string | null): boolean {
    if (leader === null || leader === server.address) {
      this.passOver(server);
      return false;
    }
    this.#leader = leader;
    return true;
  }

  passOver(server: PlacementServer): void {
    if (this.#currentAddress() !== server.address) return;
    // Also when a named leader does not answer: who named it would do so again.
    this.#leader = null;
    this.#next = (this.#next + 1) % this.addresses.length;
  }

  close(): void {
    for (const server of this.#open.values()) server.close();
    this.#open.clear();
  }

  #currentAddress(): string {
    return this.#leader ?? this.addresses[this.#next] ?? '';
  }

  #server(address: string): PlacementServer {
    const known = this.#open.get(address);
    if (known !== undefined) return known;
    this.#forgetOldest();
    const opened = new GrpcServer({ ...this.#channelOptions, address });
    this.#open.set(address, opened);
    return opened;
  }

  #forgetOldest(): void {
    const named = [...this.#open.values()].filter((each) => !this.addresses.includes(each.address));
    const [oldest] = named;
    if (oldest === undefined || named.length < namedServersMax) return;
    this.#open.delete(oldest.address);
    oldest.close();
  }
}
