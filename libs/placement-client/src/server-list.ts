/**
 * Which server to ask next: the leader that was named last, else one after the other.
 *
 * Servers that are named as leader and are not in the list are remembered, too, up to a bound: members
 * may have been added since the list was written.
 */

import {
  defaultPipelineClientLimits,
  openChannel,
  PipelineClient,
  type RpcChannel,
  type RpcChannelOptions,
  type ServiceClient,
  watchService,
  type WatchMethods,
} from '@robustmq/rpc';

/** One server and the calls on it. */
export interface PlacementServer {
  readonly address: string;
  readonly calls: PipelineClient;
  readonly watches: ServiceClient<WatchMethods>;
}

interface OpenServer extends PlacementServer {
  readonly channel: RpcChannel;
}

/** LIMIT: namedServersMax (leaders outside of the list; the one named first is forgotten). */
const namedServersMax = 16;

export class ServerList {
  readonly #listed: readonly string[];
  readonly #channelOptions: Omit<RpcChannelOptions, 'address'>;
  /** By address, in the order in which they were opened. */
  readonly #open = new Map<string, OpenServer>();
  #next = 0;
  #leader: string | null = null;

  /** @param addresses  as `host:port`; at least one */
  constructor(addresses: readonly string[], options: Omit<RpcChannelOptions, 'address'>) {
    this.#listed = [...new Set(addresses)];
    this.#channelOptions = options;
  }

  get addresses(): readonly string[] {
    return this.#listed;
  }

  /** The leader, as far as it is known; else the server whose turn it is. */
  current(): PlacementServer {
    return this.#server(this.#leader ?? this.#listed[this.#next] ?? '');
  }

  /** `server` said who leads. @returns whether that is worth asking at once */
  followLeader(server: PlacementServer, leader: string | null): boolean {
    if (leader === null || leader === server.address) {
      this.passOver(server);
      return false;
    }
    this.#leader = leader;
    return true;
  }

  /** `server` does not answer, or cannot help: another one is next, unless one is already. */
  passOver(server: PlacementServer): void {
    if (this.current().address !== server.address) return;
    this.#leader = null;
    if (this.#listed[this.#next] === server.address) {
      this.#next = (this.#next + 1) % this.#listed.length;
    }
  }

  close(): void {
    for (const { calls, channel } of this.#open.values()) {
      calls.close();
      channel.close();
    }
    this.#open.clear();
  }

  #server(address: string): OpenServer {
    const known = this.#open.get(address);
    if (known !== undefined) return known;
    this.#forgetOldest();
    const channel = openChannel({ ...this.#channelOptions, address });
    const calls = new PipelineClient(channel, defaultPipelineClientLimits);
    const opened = { address, channel, calls, watches: channel.clientOf(watchService) };
    this.#open.set(address, opened);
    return opened;
  }

  #forgetOldest(): void {
    const named = [...this.#open.values()].filter((each) => !this.#listed.includes(each.address));
    const [oldest] = named;
    if (oldest === undefined || named.length < namedServersMax) return;
    this.#open.delete(oldest.address);
    oldest.calls.close();
    oldest.channel.close();
  }
}
