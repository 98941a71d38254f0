import { describeProblem, resolveConfiguration } from '@robustmq/config';
import type { SharedJournal } from '@robustmq/journal';
import type { FrameTransport } from '@robustmq/node-link';
import type { Placement } from '@robustmq/placement';
import { openRegistries } from '@robustmq/placement-registry';
import {
  createBrokerCounters,
  createLoggerTo,
  createMetricsRegistry,
  type Logger,
  zeroGaugeSource,
} from '@robustmq/telemetry';
import type { BrokerContext } from '../../broker-context.ts';
import { OpenCluster } from '../../cluster/open-cluster.ts';
import { brokerSchema } from '../../configuration/schema.ts';
import { brokerSettingsFrom } from '../../configuration/settings-from.ts';
import { ClientConnection } from '../../connection/client-connection.ts';
import { Maintenance } from '../../maintenance.ts';
import { makeContext } from '../../make-context.ts';
import { openAccess } from '../../open-access.ts';
import { SysPublisher } from '../../session/sys-publisher.ts';
import type { BrokerSettings, ClusterPlace } from '../../settings.ts';
import { ClientWire, type WireEnd } from './client-wire.ts';
import type { ProcessLife } from './process-life.ts';
import type { SimulatedTime } from './simulated-time.ts';

const CLUSTER = 'simulated';
const MACHINE = { memoryBytes: 2 ** 30, diskBytes: 2 ** 40 };

/** How many shards there are of each kind. */
export const SHARDS = { messages: 2, sessions: 2, retained: 1 } as const;

const PLACE: ClusterPlace = {
  placementCenter: ['simulated'],
  ...{ host: '127.0.0.1', port: 0, brokerIp: '127.0.0.1', mqttAddress: null, leaseSeconds: 6 },
  ...{ subackWaitMs: 3_000, yieldWaitMs: 3_000, callDeadlineMs: 3_000 },
  ...{ linkBytesMax: 2 ** 20, frameBytesMax: 2 ** 22, serveWithoutPlacement: true },
  shards: SHARDS,
  shardReplicas: 3,
  ...{ token: null, tls: null },
};

const SETTINGS = settingsOf();

/** What one life of a broker has of the world. */
export interface BrokerEdges {
  readonly life: ProcessLife;
  readonly time: SimulatedTime;
  readonly placement: Placement;
  readonly journal: SharedJournal;
  readonly transport: FrameTransport;
  /** Hears what the broker logs; null: nobody does. */
  readonly tell: ((line: string) => void) | null;
  clientDelayMs(): number;
  /** What in a real process would end it, or be a mistake. */
  failed(what: string, error: unknown): void;
}

/** One life of a broker, complete but for sockets. */
export class SimulatedBroker {
  readonly nodeId: number;
  readonly edges: BrokerEdges;
  readonly context: BrokerContext;
  readonly cluster: OpenCluster;
  readonly #maintenance: Maintenance;
  readonly #wires = new Set<ClientWire>();
  isServing = false;

  constructor(
    nodeId: number,
    edges: BrokerEdges,
    parts: { readonly context: BrokerContext; readonly cluster: OpenCluster },
  ) {
    this.nodeId = nodeId;
    this.edges = edges;
    const { context, cluster } = parts;
    this.context = context;
    this.cluster = cluster;
    const sys = new SysPublisher(context, zeroGaugeSource);
    context.presence = sys;
    // As `assembleBroker` has it.
    this.#maintenance = new Maintenance(context, [
      () => context.sessions.expireDue(context.clock.nowMs()),
      () => context.wills.publishDue(context.clock.nowMs()),
      () => sys.tick(),
      () => cluster.tick(),
    ]);
  }

  async start(): Promise<void> {
    await this.cluster.begin();
    this.#maintenance.start();
    this.isServing = true;
  }

  /** Null: nobody listens there. */
  accept(end: WireEnd): ClientWire | null {
    const { life, time } = this.edges;
    if (!life.isAlive || !this.isServing) return null;
    const wire = new ClientWire((accepted) => this.#handlerOf(accepted), {
      ...{ life, time, end },
      delayMs: () => this.edges.clientDelayMs(),
    });
    this.#wires.add(wire);
    return wire;
  }

  /** As `kill -9`: what it has sent is on its way, and nothing else is left of it. */
  crash(): void {
    this.edges.life.die();
    for (const wire of this.#wires) wire.brokerDied();
  }

  /** What it throws would close the connection, or end the process. */
  #handlerOf(wire: ClientWire): ClientWire['handler'] {
    const connection = new ClientConnection(this.context, wire);
    const guarded = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        this.edges.failed('handling a packet', error);
      }
    };
    return {
      received: (buffer, start, end) => guarded(() => connection.received(buffer, start, end)),
      drained: (bytes) => guarded(() => connection.drained(bytes)),
      closed: (cause) => {
        this.#wires.delete(wire);
        guarded(() => connection.closed(cause));
      },
    };
  }
}

/** An empty broker, before it has joined. */
export async function makeBroker(nodeId: number, edges: BrokerEdges): Promise<SimulatedBroker> {
  const { life } = edges;
  const counters = createBrokerCounters();
  const settings = { ...SETTINGS, nodeId };
  const context = makeContext({
    settings,
    logger: edges.tell === null ? SILENT : loggerTo(life.name, edges.tell),
    counters,
    histograms: createMetricsRegistry(counters, zeroGaugeSource).histograms,
    access: (await openAccess(settings.access)).control,
    methods: [],
    environment: { clock: life.clock, timers: life.timers, random: life.random },
  });
  context.fatal = (what, error) => edges.failed(what, error);
  const { placement, journal, transport } = edges;
  const registries = openRegistries(placement, { clusterName: CLUSTER, random: life.random });
  const cluster = new OpenCluster(context, PLACE, {
    ...{ placement, registries, journal, transport },
    innerAddress: `broker-${nodeId}`,
    close: () => journal.close(),
  });
  return new SimulatedBroker(nodeId, edges, { context, cluster });
}

export { CLUSTER };

const SILENT: Logger = createLoggerTo(
  { write: () => {}, flushSync: () => {}, close: async () => {} },
  { level: 'silent', format: 'json' },
  'file',
);

function loggerTo(name: string, tell: (line: string) => void): Logger {
  const write = (line: string): void => tell(`${name} logs ${line.trim()}`);
  const target = { write, flushSync: () => {}, close: async () => {} };
  return createLoggerTo(target, { level: 'debug', format: 'json' }, 'file');
}

function settingsOf(): BrokerSettings {
  const text = [
    `cluster_name = "${CLUSTER}"`,
    'http_port = 0',
    '[network]\ntcp_port = 0\nwebsocket_port = "off"',
    '[storage]\nstorage_type = "memory"',
  ].join('\n');
  const file = { name: 'simulation.toml', text };
  const resolved = resolveConfiguration(brokerSchema, { file, environment: {} });
  if (!resolved.ok) throw new Error(resolved.fault.map(describeProblem).join('\n'));
  const settings = brokerSettingsFrom(resolved.value, MACHINE, '0.0.0');
  if (!settings.ok) throw new Error(settings.fault.map(describeProblem).join('\n'));
  return settings.value;
}
