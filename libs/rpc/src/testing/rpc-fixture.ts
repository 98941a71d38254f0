/** Servers and channels on the loopback that end with their test. */
import {
  defaultChannelLimits,
  openChannel,
  type RpcChannel,
  type RpcChannelOptions,
} from '../client/rpc-channel.ts';
import type { MountedService } from '../server/implementation.ts';
import { silentObserver } from '../server/interceptor.ts';
import {
  defaultServerLimits,
  openRpcServer,
  type RpcServer,
  type RpcServerOptions,
} from '../server/rpc-server.ts';

const HOST = '127.0.0.1';

/** What a test has opened. */
export class RpcFixture {
  readonly #cleanups: (() => Promise<void> | void)[] = [];

  async serve(
    services: readonly MountedService[],
    options: Partial<RpcServerOptions>,
  ): Promise<RpcServer> {
    const server = await openRpcServer({
      host: HOST,
      port: 0,
      tls: null,
      clusterToken: null,
      services,
      limits: defaultServerLimits,
      observer: silentObserver,
      ...options,
    });
    this.cleanup(() => server.close(0));
    return server;
  }

  channel(port: number, options: Partial<RpcChannelOptions>): RpcChannel {
    const channel = openChannel({
      address: `${HOST}:${port}`,
      tls: null,
      token: null,
      limits: defaultChannelLimits,
      ...options,
    });
    this.cleanup(() => channel.close());
    return channel;
  }

  cleanup(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  /** Last opened, first closed. */
  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).toReversed()) await cleanup();
  }
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('the promise was fulfilled');
    },
    (error: unknown) => error,
  );
}
