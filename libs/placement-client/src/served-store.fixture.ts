import { connect, createServer, type Socket } from 'node:net';
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import { defaultServerLimits, openRpcServer, silentObserver } from '@robustmq/rpc';
import { connectPlacement } from './connect-placement.ts';
import { defaultRemoteCallLimits, type RemoteCallLimits } from './remote-calls.ts';
import { placementHandlers } from './server/serve-placement.ts';

/** For every call of a test. */
export const CALL = { deadlineMs: 10_000, signal: null };

/** A server of one store, behind a wire that tests can cut. */
export interface ServedStore {
  readonly address: string;
  readonly wire: Wire;
  close(): Promise<void>;
}

/** What a test does to the connections of a server. */
export interface Wire {
  /** Ends every connection; new ones are accepted. */
  cut(): void;
  /** Lets nothing of what the server says through, and keeps the connections. */
  mute(): void;
  /** Connections end at once. */
  refuse(): void;
  /** All is well again, for new connections. */
  mend(): void;
}

/** @param clusterToken  null: everybody is let in */
export async function serve(
  placement: Placement,
  clusterToken: string | null = null,
): Promise<ServedStore> {
  const server = await openRpcServer({
    host: '127.0.0.1',
    port: 0,
    tls: null,
    clusterToken,
    services: placementHandlers({
      placement,
      clusterName: 'test',
      clock: systemClock,
      random: systemRandom,
      heartbeatTimeoutMs: 10_000,
      idempotenceKeepMs: 60_000,
      hashPassword: async (password) => `hash of ${password.length} characters`,
      listLeases: null,
      clusterStatus: null,
      reportMistake: (error) => {
        throw error;
      },
    }),
    limits: defaultServerLimits,
    observer: silentObserver,
  });
  const proxy = await openProxy(server.port);
  const close = async (): Promise<void> => {
    await proxy.close();
    await server.close(0);
  };
  return { address: `127.0.0.1:${proxy.port}`, wire: proxy.wire, close };
}

/** A client of these servers, with short pauses. */
export function connectTo(
  servers: readonly string[],
  limits: Partial<RemoteCallLimits> = {},
): Placement {
  return connectPlacement({
    servers,
    tls: null,
    token: null,
    limits: { ...defaultRemoteCallLimits, pauseFirstMs: 1, pauseLongestMs: 20, ...limits },
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
  });
}

/** A store in memory, served, and a client of it. */
export interface ServedMemory {
  readonly memory: MemoryPlacement;
  readonly server: ServedStore;
  readonly client: Placement;
  close(): Promise<void>;
}

export async function openServedMemory(
  limits: Partial<RemoteCallLimits> = {},
): Promise<ServedMemory> {
  const memory = new MemoryPlacement();
  const server = await serve(memory);
  const client = connectTo([server.address], limits);
  const close = async (): Promise<void> => {
    await client.close();
    await server.close();
    await memory.close();
  };
  return { memory, server, client, close };
}

async function openProxy(target: number): Promise<{
  readonly port: number;
  readonly wire: Wire;
  close(): Promise<void>;
}> {
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();
  let state: 'well' | 'muted' | 'refusing' = 'well';
  const listener = createServer((near) => {
    near.on('error', () => undefined);
    if (state === 'refusing') {
      near.destroy();
      return;
    }
    const far = connect(target, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    far.on('error', () => undefined);
    near.setNoDelay(true);
    far.setNoDelay(true);
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => {
      if (state !== 'muted') near.write(bytes);
    });
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.on('close', end);
    far.on('close', end);
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  const cut = (): void => {
    for (const { near, far } of [...pairs]) {
      near.destroy();
      far.destroy();
    }
  };
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    wire: {
      cut,
      mute: () => {
        state = 'muted';
      },
      refuse: () => {
        state = 'refusing';
        cut();
      },
      mend: () => {
        state = 'well';
      },
    },
    close: async () => {
      cut();
      await new Promise<void>((resolve) => {
        listener.close(() => resolve());
      });
    },
  };
}
