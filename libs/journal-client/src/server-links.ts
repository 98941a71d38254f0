/** The links of one client, by address. */
import { openChannel, type RpcChannelOptions } from '@robustmq/rpc';
import {
  linkToNobody,
  type RequestLink,
  ServerLink,
  type ServerLinkOptions,
} from './server-link.ts';

/** LIMIT: serversMax (links of one client; the one asked for first is closed for one more) */
const serversMax = 256;

/** Opens a link when it is asked for. */
export class ServerLinks {
  readonly #channelOptions: Omit<RpcChannelOptions, 'address'>;
  readonly #linkOptions: ServerLinkOptions;
  readonly #links = new Map<string, ServerLink>();

  constructor(channels: Omit<RpcChannelOptions, 'address'>, links: ServerLinkOptions) {
    this.#channelOptions = channels;
    this.#linkOptions = links;
  }

  /** @param address  empty: no server is known */
  linkTo(address: string): RequestLink {
    if (address === '') return linkToNobody(this.#linkOptions.timers);
    const known = this.#links.get(address);
    if (known !== undefined) return known;
    this.#closeOldest();
    const channel = openChannel({ ...this.#channelOptions, address });
    const link = new ServerLink(channel, this.#linkOptions);
    this.#links.set(address, link);
    return link;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  #closeOldest(): void {
    const [oldest] = this.#links.values();
    if (oldest === undefined || this.#links.size < serversMax) return;
    this.#links.delete(oldest.address);
    oldest.close();
  }
}
