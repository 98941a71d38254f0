/**
 * The services of the placement center on an etcd that somebody already runs: this process stores
 * nothing, and any number of them may run side by side.
 */
import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { connectEtcd } from '@robustmq/placement-client';
import { runControllers } from '@robustmq/placement-registry';
import { readCredentials, type RpcServer } from '@robustmq/rpc';
import {
  type AdminServer,
  healthReport,
  type HealthReport,
  type Logger,
  log,
  logEvents,
} from '@robustmq/telemetry';
import { openAdminWith } from './admin/open-admin.ts';
import { leaderControllers } from './cluster/leader-controllers.ts';
import { logShardPlaced } from './cluster/log-shard-placed.ts';
import { openServer } from './grpc/open-server.ts';
import { listenersOf, type PlacementCenter, type PlacementListener } from './placement-center.ts';
import type { PlacementCenterSettings } from './settings.ts';

const PROBE_MS = 5000;
const PROBE_DEADLINE_MS = 3000;
const DRAIN_MS = 1000;

export class EtcdFront implements PlacementCenter {
  /** Nothing of this process ends it: etcd keeps the data. */
  readonly failed: Promise<Error> = new Promise(() => {});
  readonly #settings: PlacementCenterSettings;
  readonly #endpoints: readonly string[];
  readonly #logger: Logger;
  readonly #startedMs = systemClock.monotonicMs();
  readonly #stopping = new AbortController();
  #placement: Placement | null = null;
  #admin: AdminServer | null = null;
  #server: RpcServer | null = null;
  #probe: { cancel(): void } | null = null;
  /** Why etcd does not answer; null while it does. */
  #silence: string | null = 'not asked yet';
  #controllers: Promise<void> = Promise.resolve();

  constructor(settings: PlacementCenterSettings, endpoints: readonly string[], logger: Logger) {
    this.#settings = settings;
    this.#endpoints = endpoints;
    this.#logger = logger;
  }

  get listeners(): readonly PlacementListener[] {
    return listenersOf(this.#settings, this.#server);
  }

  get httpAddress(): string | null {
    const address = this.#admin?.address() ?? null;
    return address === null ? null : `${address.host}:${String(address.port)}`;
  }

  async start(): Promise<void> {
    try {
      await this.#startParts();
    } catch (error) {
      await this.#closeParts();
      throw error;
    }
    log(this.#logger, logEvents.placementStarted, {
      nodeId: this.#settings.nodeId,
      version: this.#settings.version,
      startMs: Math.round(systemClock.monotonicMs() - this.#startedMs),
      grpcAddress: this.listeners.map(({ address, port }) => `${address}:${String(port)}`).join(),
      clusterName: this.#settings.clusterName,
    });
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    log(this.#logger, logEvents.placementStopping, { reason: 'asked to' });
    await this.#closeParts();
  }

  async #startParts(): Promise<void> {
    const settings = this.#settings;
    const placement = await connectEtcd({
      hosts: this.#endpoints,
      credentials: null,
      tls: null,
      limits: null,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    });
    this.#placement = placement;
    const parts = {
      settings,
      credentials: await readCredentials(settings),
      placement: () => placement,
      membership: 'none' as const,
      node: () => null,
      host: () => null,
      transport: () => null,
      identity: () => null,
      uptimeSeconds: () => 0,
      logger: this.#logger,
    };
    this.#admin = await openAdminWith(parts, {
      live: () => healthReport([{ name: 'process', ok: true, detail: 'the event loop turns' }]),
      started: () => healthReport([{ name: 'started', ok: this.#server !== null, detail: '' }]),
      ready: () => this.#ready(),
    });
    this.#server = await openServer(parts);
    this.#probe = systemTimers.every(PROBE_MS, () => void this.#ask(placement));
    void this.#ask(placement);
    // Each process runs them: what they do is compared first, so that it happens once.
    const edges = {
      timers: systemTimers,
      random: systemRandom,
      reportFailure: ({ controller, error }: { controller: string; error: unknown }): void => {
        const err = error instanceof Error ? error : new Error(String(error));
        log(this.#logger, logEvents.placementControllerFailed, { controller, err });
      },
    };
    const controllers = leaderControllers(placement, {
      clusterName: settings.clusterName,
      journalServerLostAfterMs: settings.journalServerLostAfterMs,
      onShardPlaced: logShardPlaced(this.#logger),
    });
    this.#controllers = runControllers(controllers, edges, this.#stopping.signal);
  }

  #ready(): HealthReport {
    const detail = this.#silence ?? this.#endpoints.join(', ');
    return healthReport([{ name: 'etcd', ok: this.#silence === null, detail }]);
  }

  async #ask(placement: Placement): Promise<void> {
    const range = { first: '/', after: '/\0' };
    const request = { range, limit: 1, content: 'count', consistency: 'linearizable' } as const;
    try {
      await placement.range(request, { deadlineMs: PROBE_DEADLINE_MS, signal: null });
      this.#silence = null;
    } catch (error) {
      this.#silence = error instanceof Error ? error.message : String(error);
    }
  }

  async #closeParts(): Promise<void> {
    this.#stopping.abort();
    this.#probe?.cancel();
    await this.#controllers;
    const closing = this.#server?.close(DRAIN_MS);
    await this.#placement?.close();
    await closing;
    await this.#admin?.stop();
  }
}
