import { AssertionError } from '@robustmq/errors';
import { ReasonCode } from '@robustmq/mqtt-codec';
import type { AuthenticationMethod } from '@robustmq/mqtt-session';
import {
  type AdminServer,
  type BrokerCounters,
  createAdminServer,
  createBrokerCounters,
  createMetricsRegistry,
  type GaugeSource,
  type Logger,
  log,
  logEvents,
  type MetricsRegistry,
  zeroGaugeSource,
} from '@robustmq/telemetry';
import {
  type ByteConnection,
  type Listener,
  type ListenerIdentity,
  listen,
} from '@robustmq/transport';
import { openAccess, type OpenedAccess } from './open-access.ts';
import type { BrokerContext } from './broker-context.ts';
import type { OpenCluster } from './cluster/open-cluster.ts';
import { ClientConnection } from './connection/client-connection.ts';
import { ConnectionRate, TURNED_AWAY } from './connection/connection-rate.ts';
import { embeddedLog } from './durable/embedded-log.ts';
import { openStorage, type OpenedStorage } from './durable/open-storage.ts';
import { Retention } from './durable/retention.ts';
import { gaugesOf } from './gauges.ts';
import { healthOf } from './health.ts';
import { Maintenance } from './maintenance.ts';
import { makeContext } from './make-context.ts';
import { SysPublisher } from './session/sys-publisher.ts';
import type { BrokerSettings } from './settings.ts';
import { warmUp } from './warm-up/warm-up.ts';

const CHECKPOINT_SECONDS = 5;
const CHECKPOINT_JOURNAL_BYTES = 32 * 1024 * 1024;

/** One broker node. `start` once, `stop` once. */
export interface Broker {
  /** Recovers what is stored, then opens the listeners. @throws when something can't be had: which, and what to do */
  start(): Promise<void>;
  /** Tells clients, closes, flushes, and saves. At most `drainTimeoutMs` for the clients. */
  stop(): Promise<void>;
  /** Reads password and rules files and certificates again. @returns one line for each, good or bad */
  reload(): Promise<readonly string[]>;
  readonly listeners: readonly ListenerIdentity[];
  /** `host:port` of the HTTP side, or null. */
  readonly httpAddress: string | null;
}

/** Builds a broker from its settings: the only place that makes edges. */
export function assembleBroker(
  settings: BrokerSettings,
  logger: Logger,
  methods: readonly AuthenticationMethod[] = [],
): Broker {
  return new BrokerNode(settings, logger, methods);
}

class BrokerNode implements Broker {
  readonly #settings: BrokerSettings;
  readonly #logger: Logger;
  readonly #methods: readonly AuthenticationMethod[];
  readonly #counters: BrokerCounters = createBrokerCounters();
  readonly #listeners: Listener[] = [];
  #gauges: GaugeSource = zeroGaugeSource;
  #metrics: MetricsRegistry | null = null;
  #context: BrokerContext | null = null;
  #access: OpenedAccess | null = null;
  #storage: OpenedStorage | null = null;
  #cluster: OpenCluster | null = null;
  #maintenance: Maintenance | null = null;
  #admin: AdminServer | null = null;
  #phase: 'new' | 'recovering' | 'serving' | 'stopping' = 'new';

  constructor(settings: BrokerSettings, logger: Logger, methods: readonly AuthenticationMethod[]) {
    this.#settings = settings;
    this.#logger = logger;
    this.#methods = methods;
  }

  get listeners(): readonly ListenerIdentity[] {
    return this.#listeners.map((listener) => listener.identity);
  }

  get httpAddress(): string | null {
    const address = this.#admin?.address() ?? null;
    return address === null ? null : `${address.host}:${address.port}`;
  }

  async start(): Promise<void> {
    const startedMs = performance.now();
    this.#phase = 'recovering';
    try {
      await this.#startParts();
    } catch (error) {
      await this.#closeParts();
      throw error;
    }
    this.#phase = 'serving';
    log(this.#logger, logEvents.brokerStarted, {
      nodeId: this.#settings.nodeId,
      version: this.#settings.version,
      startMs: Math.round(performance.now() - startedMs),
      listeners: this.listeners.map((at) => `${at.kind} ${at.address}:${at.port}`).join(', '),
    });
  }

  async stop(): Promise<void> {
    if (this.#phase === 'stopping') return;
    this.#phase = 'stopping';
    const context = this.#context;
    log(this.#logger, logEvents.brokerStopping, {
      reason: 'asked to',
      connections: context?.connections.size ?? 0,
    });
    if (context !== null) {
      context.draining = true;
      await Promise.all(this.#listeners.map((listener) => listener.stop()));
      for (const connection of [...context.connections]) {
        connection.close(ReasonCode.serverShuttingDown, 'the server is shutting down');
      }
      await within(context.log.settle(), this.#settings.drainTimeoutMs);
      await within(this.#checkpoint(), this.#settings.drainTimeoutMs);
    }
    await this.#closeParts();
  }

  async reload(): Promise<readonly string[]> {
    const access = await this.#access?.reload();
    const lines = [...(access?.lines ?? [])];
    if (access !== undefined) lines.push(...(await this.#endRevoked(access.revokedUsernames)));
    for (const listener of this.#listeners) {
      if (listener.identity.kind !== 'tls' && listener.identity.kind !== 'websocket-tls') continue;
      try {
        listener.reloadTls();
        lines.push(`listener ${listener.identity.name}: certificate read again`);
      } catch (error) {
        lines.push(
          `listener ${listener.identity.name}: ${messageOf(error)}; the old certificate stays`,
        );
      }
    }
    this.#context?.router.invalidateAll();
    this.#context?.groups.rightsChanged();
    return lines;
  }

  /** Ends the connections of users whose account has changed. @returns what to say about it */
  async #endRevoked(usernames: ReadonlySet<string>): Promise<readonly string[]> {
    if (usernames.size === 0) return [];
    // Logins that the old file let in are decided within their turn; after it they are connections.
    await new Promise((resolve) => setImmediate(resolve));
    const revoked = [...(this.#context?.connections ?? [])].filter((connection) =>
      usernames.has(connection.session?.identity.username ?? ''),
    );
    for (const connection of revoked) {
      connection.close(ReasonCode.notAuthorized, 'the account has changed');
    }
    return revoked.length === 0 ? [] : [`connections of changed users closed: ${revoked.length}`];
  }

  async #startParts(): Promise<void> {
    this.#access = await openAccess(this.#settings.access);
    const gauges = this.#lateGauges();
    this.#metrics = createMetricsRegistry(this.#counters, gauges);
    const context = makeContext({
      settings: this.#settings,
      logger: this.#logger,
      counters: this.#counters,
      histograms: this.#metrics.histograms,
      access: this.#access.control,
      methods: this.#methods,
    });
    context.fatal = (what, error) => this.#crash(what, error);
    this.#context = context;
    await this.#startAdmin(this.#metrics);
    const sys = new SysPublisher(context, gauges);
    context.presence = sys;
    const keepStorage = await this.#openLog(context);
    this.#gauges = gaugesOf(context, this.#listeners);
    this.#maintenance = new Maintenance(context, [
      () => context.sessions.expireDue(context.clock.nowMs()),
      () => context.wills.publishDue(context.clock.nowMs()),
      () => sys.tick(),
      keepStorage,
    ]);
    // Before a client can return and set another will.
    for (const session of context.restoredWills.splice(0)) context.wills.connectionLost(session);
    await warmUp(this.#settings);
    await this.#listen(context);
    this.#maintenance.start();
  }

  /** A journal of its own, or the shards of the cluster. @returns what it needs once a second */
  async #openLog(context: BrokerContext): Promise<() => void> {
    const { cluster: place } = this.#settings;
    if (place !== null) {
      const { openClusterOf } = await import('./cluster/open-cluster.ts');
      const cluster = await openClusterOf(context, place);
      this.#cluster = cluster;
      await cluster.begin();
      return () => cluster.tick();
    }
    const storage = await openStorage(context);
    this.#storage = storage;
    const retention = new Retention(context, storage);
    return () => {
      this.#checkpointIfDue();
      retention.tick();
    };
  }

  /** Metrics may be asked for while recovery still runs. */
  #lateGauges(): GaugeSource {
    const late: Record<string, () => number> = {};
    for (const name of Object.keys(zeroGaugeSource)) {
      late[name] = () => this.#gauges[name as keyof GaugeSource]();
    }
    return late as unknown as GaugeSource;
  }

  async #listen(context: BrokerContext): Promise<void> {
    const rate = new ConnectionRate(this.#settings.limits.connectionsPerSecondPerAddressMax);
    for (const options of this.#settings.listeners) {
      const listener = await listen(
        options,
        (connection) => this.#accept(context, rate, connection),
        (_connection, error) => this.#handlerFault(error),
      );
      this.#listeners.push(listener);
    }
  }

  #accept(context: BrokerContext, rate: ConnectionRate, connection: ByteConnection): void {
    // The address is asked for only when it matters: it costs a system call.
    if (rate.isLimited && !rate.admits(connection.remoteAddress, context.tick)) {
      this.#counters.connectsRefusedRate += 1;
      connection.handler = TURNED_AWAY;
      connection.destroy();
      return;
    }
    connection.handler = new ClientConnection(context, connection);
  }

  async #startAdmin(metrics: MetricsRegistry): Promise<void> {
    const { http } = this.#settings;
    if (!http.enabled) return;
    this.#admin = createAdminServer({
      host: http.host,
      port: http.port,
      portKey: 'http_port',
      node: {
        name: this.#settings.clusterName,
        version: this.#settings.version,
        id: this.#settings.nodeId,
      },
      metrics,
      health: healthOf(() => ({
        phase: this.#phase,
        listeners: this.#listeners.length,
        listenersWanted: this.#settings.listeners.length,
        journalFull: this.#context?.log?.full ?? false,
        draining: this.#context?.cluster?.isDraining ?? false,
      })),
      onFailure: (error, path) => {
        this.#logger.sink.error({ path, err: error }, 'an HTTP route failed');
      },
    });
    await this.#admin.start();
  }

  #checkpointIfDue(): void {
    const context = this.#context;
    const checkpointer = this.#storage?.checkpointer ?? null;
    if (context === null || checkpointer === null || !checkpointer.isDue()) return;
    const often = context.tick % CHECKPOINT_SECONDS === 0;
    const durable = embeddedLog(context);
    const much = durable.appendedBytesSinceCheckpoint > CHECKPOINT_JOURNAL_BYTES;
    if (!often && !much && !durable.needsCheckpoint) return;
    this.#checkpoint().catch((error: unknown) => {
      this.#logger.sink.warn({ err: error }, 'the checkpoint failed and is tried again');
    });
  }

  async #checkpoint(): Promise<void> {
    await this.#storage?.checkpointer?.run();
  }

  async #closeParts(): Promise<void> {
    this.#maintenance?.stop();
    await Promise.all(this.#listeners.map((listener) => listener.stop().catch(() => {})));
    await this.#admin?.stop();
    await this.#cluster?.stop(this.#settings.drainTimeoutMs);
    this.#cluster = null;
    await this.#storage?.close();
    this.#storage = null;
  }

  /**
   * Handling one client's bytes threw. The transport closes that connection; only a broken invariant,
   * which may concern everybody, ends the process (docs/decisions/0005-crash-policy.md).
   */
  #handlerFault(error: unknown): void {
    if (error instanceof AssertionError) {
      this.#crash('an invariant is broken', error);
      return;
    }
    const err = error instanceof Error ? error : new Error(String(error));
    log(this.#logger, logEvents.taskFailed, { task: 'handling a packet', err });
  }

  /** The state is not to be trusted any more: end at once; a restart recovers what was acknowledged. */
  #crash(what: string, error: unknown): void {
    log(this.#logger, logEvents.brokerCrashed, {
      err: error instanceof Error ? error : new Error(what),
    });
    this.#logger.flushSync();
    process.exit(70);
  }
}

/** Waits for `work`, but not longer than `deadlineMs`; what is late goes on without us. */
async function within(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
