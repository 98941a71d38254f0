/** Journal servers of one process on the loopback, with a placement center in memory. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FileSystem,
  nodeFileSystem,
  systemClock,
  systemRandom,
  systemTimers,
} from '@robustmq/environment';
import type { SharedJournal } from '@robustmq/journal';
import {
  connectJournal,
  defaultJournalClientLimits,
  type JournalClientLimits,
  registryPlaces,
} from '@robustmq/journal-client';
import type { Placement } from '@robustmq/placement';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import {
  DEFAULT_PLACE_SHARDS_RULES,
  KEEP_UNTIL_RELEASED,
  openRegistries,
  placeShards,
  type PlaceShardsRules,
  type Registries,
  runControllers,
  type ShardKind,
  type ShardState,
} from '@robustmq/placement-registry';
import { createLoggerTo, type Logger } from '@robustmq/telemetry';
import { assembleJournalServer } from '../assemble.ts';
import type { JournalServer } from '../journal-server.ts';
import type { JournalServerSettings } from '../settings.ts';

const HOST = '127.0.0.1';
const CALL = { deadlineMs: 20_000, signal: null };
const EDGES = { clock: systemClock, timers: systemTimers, random: systemRandom };

/** What a test wants otherwise. */
export interface TestServersOptions {
  readonly rules?: Partial<PlaceShardsRules>;
  /** The cluster token; null: none is asked for. */
  readonly token?: string | null;
  readonly scrubBytesPerSecond?: number;
}

/** A cluster of one test. */
export class TestServers {
  readonly registries: Registries;
  /** Of the log. */
  readonly lines: string[] = [];
  readonly #placement = new MemoryPlacement();
  readonly directory: string = mkdtempSync(join(tmpdir(), 'journal-servers-'));
  /** Servers whose disk has no room, as far as they are told. */
  readonly filled: Set<number> = new Set();
  readonly #servers = new Map<number, JournalServer>();
  readonly #journals: SharedJournal[] = [];
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>;
  readonly #logger: Logger;
  readonly #token: string | null;
  readonly #scrubBytesPerSecond: number;

  private constructor({ rules = {}, token = null, ...others }: TestServersOptions) {
    this.#scrubBytesPerSecond = others.scrubBytesPerSecond ?? 0;
    this.#token = token;
    this.#logger = createLoggerTo(
      {
        write: (line) => void this.lines.push(line),
        flushSync: () => {},
        close: async () => {},
      },
      { level: 'info', format: 'json' },
      'file',
    );
    const naming = { clusterName: 'test', random: systemRandom };
    this.registries = openRegistries(this.#placement, naming);
    const placing = placeShards({
      ...this.registries,
      clock: systemClock,
      timers: systemTimers,
      rules: { ...DEFAULT_PLACE_SHARDS_RULES, ...rules },
      call: CALL,
      onPlaced: () => {},
    });
    const edges = { timers: systemTimers, random: systemRandom, reportFailure: () => {} };
    this.#loops = runControllers([placing], edges, this.#stopping.signal);
  }

  static async start(
    nodes: readonly number[],
    options: TestServersOptions = {},
  ): Promise<TestServers> {
    const servers = new TestServers(options);
    for (const node of nodes) await servers.start(node);
    return servers;
  }

  async start(node: number): Promise<void> {
    const server = assembleJournalServer(this.#settings(node), {
      ...EDGES,
      fileSystem: this.#fileSystemOf(node),
      logger: this.#logger,
      connectPlacement: () => shared(this.#placement),
    });
    await server.start();
    this.#servers.set(node, server);
  }

  async stop(node: number): Promise<void> {
    const server = this.#servers.get(node);
    this.#servers.delete(node);
    await server?.stop();
  }

  server(node: number): JournalServer {
    return this.#servers.get(node) as JournalServer;
  }

  /** Settles when the shard exists; who opens it waits for its leader. */
  async createShard(shard: string, kind: ShardKind): Promise<void> {
    const replicas = this.#servers.size;
    const plan = { kind, replicas, retention: KEEP_UNTIL_RELEASED, nowMs: systemClock.nowMs() };
    await this.registries.shards.create({ namespace: 'test', shard }, plan, CALL);
  }

  /** Whether a server has files of a shard. */
  hasFiles(node: number, groupId: number): boolean {
    return existsSync(join(this.directory, String(node), 'shards', String(groupId)));
  }

  /** What the leader of the shard told, once it looks so. */
  async stateOf(shard: string, holds: (state: ShardState) => boolean): Promise<ShardState> {
    const watch = this.registries.shardStates.watch({ within: ['test'], call: CALL });
    try {
      for await (const { changes } of watch) {
        for (const change of changes) {
          if (change.kind !== 'put' || change.stored.value.shard !== shard) continue;
          if (holds(change.stored.value)) return change.stored.value;
        }
      }
    } finally {
      watch.cancel();
    }
    throw new Error('the watch has ended');
  }

  /** The node that leads, as it told the registry. */
  async leaderOf(shard: string): Promise<number> {
    const name = { namespace: 'test', shard };
    for (;;) {
      const state = await this.registries.shardStates.read(name, CALL);
      if (state !== null && this.#servers.has(state.value.leader)) return state.value.leader;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  connect(
    limits: Partial<JournalClientLimits> = {},
    token: string | null = this.#token,
  ): SharedJournal {
    const { registries } = this;
    const journal = connectJournal({
      ...EDGES,
      places: registryPlaces({ ...EDGES, registries, fallback: [], onServers: null }),
      namespace: 'test',
      tls: null,
      token,
      limits: { ...defaultJournalClientLimits, ...limits },
    });
    this.#journals.push(journal);
    return journal;
  }

  async close(): Promise<void> {
    for (const journal of this.#journals.splice(0)) await journal.close();
    await Promise.all([...this.#servers.keys()].map((node) => this.stop(node)));
    this.#stopping.abort();
    await this.#loops;
    await this.#placement.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #fileSystemOf(node: number): FileSystem {
    const freeBytes = async (path: string): Promise<number> =>
      this.filled.has(node) ? 0 : nodeFileSystem.freeBytes(path);
    return { ...nodeFileSystem, freeBytes };
  }

  #settings(nodeId: number): JournalServerSettings {
    return {
      clusterName: 'test',
      nodeId,
      version: '0.0.0',
      directory: join(this.directory, String(nodeId)),
      grpc: { host: HOST, port: 0 },
      http: { enabled: true, host: HOST, port: 0 },
      nodes: new Map(),
      placementCenter: [],
      nodeTtlSeconds: 10,
      raft: { tickMs: 20, electionTimeoutTicks: 15, heartbeatTicks: 3 },
      segmentBytesMax: 1024 * 1024,
      diskFreeBytesMin: 1024 * 1024,
      cacheBytesMax: 4 * 1024 * 1024,
      scrubBytesPerSecond: this.#scrubBytesPerSecond,
      tls: null,
      clusterToken: this.#token === null ? null : { kind: 'text', text: this.#token },
    };
  }
}

/** Whoever closes it does not take it from the others. */
function shared(placement: Placement): Placement {
  return new Proxy(placement, {
    get: (target, name) => {
      if (name === 'close') return async () => {};
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
