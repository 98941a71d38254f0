import { Subscription } from '@robustmq/broker';
import { describeProblem, resolveConfiguration } from '@robustmq/config';
import { type Clock, SeededRandom, systemClock, systemTimers } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import { MemoryFrameNetwork } from '@robustmq/node-link';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import type { CallOptions } from '@robustmq/placement';
import { openRegistries, type Registries, releaseOrphans } from '@robustmq/placement-registry';
import {
  createBrokerCounters,
  createLoggerTo,
  createMetricsRegistry,
  zeroGaugeSource,
} from '@robustmq/telemetry';
import { parseSubscriptionFilter } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import { type BrokerEnvironment, systemEnvironment } from '../broker-environment.ts';
import { brokerSchema } from '../configuration/schema.ts';
import { brokerSettingsFrom } from '../configuration/settings-from.ts';
import { openStorage } from '../durable/open-storage.ts';
import { makeContext } from '../make-context.ts';
import { openAccess } from '../open-access.ts';
import { PublishOutcome } from '../publish-message.ts';
import { ClientSession } from '../session/client-session.ts';
import type { BrokerSettings } from '../settings.ts';
import { ClusterNode } from './broker-cluster.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import type { DurableSessions, StoredSession } from './contract.ts';
import { LoopbackClient } from './loopback-client.fixture.ts';

export const CALL: CallOptions = { deadlineMs: 10_000, signal: null };

/** What the durable path of all brokers shares: who may write about which session, by its epoch. */
export class SharedStates {
  readonly epochs: Map<string, number> = new Map();
  readonly events: string[] = [];
  /** So many calls to settle a session fail. */
  settleFailures = 0;
  /** Settling a session waits for it. */
  settling: Promise<void> = Promise.resolve();
  /** So many calls to restore one fail. */
  restoreFailures = 0;
}

/** One broker of a test. */
export class TestBroker {
  readonly nodeId: number;
  readonly context: BrokerContext;
  readonly cluster: ClusterNode;
  readonly failures: string[] = [];
  readonly #cleanup: () => Promise<void>;

  constructor(
    nodeId: number,
    parts: {
      readonly context: BrokerContext;
      readonly cluster: ClusterNode;
      readonly failures: string[];
      readonly cleanup: () => Promise<void>;
    },
  ) {
    this.nodeId = nodeId;
    this.context = parts.context;
    this.cluster = parts.cluster;
    this.failures = parts.failures;
    this.#cleanup = parts.cleanup;
  }

  /** Sessions without an owner that it watches over. */
  get watchedSessions(): number {
    return this.cluster.watchedSessions;
  }

  client(clientId: string): LoopbackClient {
    return new LoopbackClient(this.context, clientId);
  }

  async stop(): Promise<void> {
    this.context.draining = true;
    for (const connection of [...this.context.connections]) connection.close(0x8b, 'the end');
    await this.cluster.stop(5_000);
    await this.#cleanup();
  }

  /** Dies: its clients and its peers see their connections end, and nobody says goodbye. */
  async kill(): Promise<void> {
    this.cluster.kill();
    for (const connection of [...this.context.connections]) {
      (connection.transport as LoopbackClient).isClosed = true;
    }
    await this.#cleanup();
  }
}

/** A broker's inside without storage. @param subscribe  lines of its section [subscribe] */
export async function contextOf(
  nodeId: number,
  subscribe = '',
  environment: BrokerEnvironment = systemEnvironment,
): Promise<BrokerContext> {
  const logger = createLoggerTo(NOWHERE, { level: 'silent', format: 'json' }, 'file');
  const settings = brokerSettingsOf(nodeId, subscribe);
  const counters = createBrokerCounters();
  const { histograms } = createMetricsRegistry(counters, zeroGaugeSource);
  const access = (await openAccess(settings.access)).control;
  const parts = { settings, logger, counters, histograms, access, methods: [], environment };
  const context = makeContext(parts);
  context.presence = NOBODY_LISTENS;
  return context;
}

/** Brokers in one process: a placement store, a network and shared session states in memory. */
export class TestCluster {
  readonly placement: MemoryPlacement = new MemoryPlacement();
  readonly network: MemoryFrameNetwork = new MemoryFrameNetwork();
  readonly states: SharedStates = new SharedStates();
  readonly registries: Registries = openRegistries(this.placement, {
    clusterName: 'test',
    random: new SeededRandom(5),
  });
  /** By node, how far its wall clock is ahead. */
  readonly aheadMs: Map<number, number> = new Map();
  readonly #brokers = new Set<TestBroker>();
  readonly #subscribe: string;

  /** @param subscribe  lines of the configuration's section [subscribe] */
  constructor(subscribe = '') {
    this.#subscribe = subscribe;
  }

  async broker(nodeId: number, more: Partial<ClusterSettings> = {}): Promise<TestBroker> {
    const context = await contextOf(nodeId, this.#subscribe);
    const { logger } = context;
    const storage = await openStorage(context);
    const failures: string[] = [];
    const cluster = new ClusterNode(
      {
        context,
        settings: { ...clusterSettingsOf(nodeId), ...more },
        placement: this.placement,
        registries: this.registries,
        transport: this.network.open(nodeId),
        durable: durableOf(context, this.states),
        clock: this.#clockOf(nodeId),
        timers: systemTimers,
        random: new SeededRandom(nodeId),
        failed: (task, error) => failures.push(`${task}: ${String(error)}`),
        revoked: (node) => this.states.events.push(`revoked ${node}`),
      },
      () => {},
    );
    context.cluster = cluster;
    await cluster.begin();
    const cleanup = async (): Promise<void> => {
      await storage.close();
      await logger.close();
    };
    const broker = new TestBroker(nodeId, { context, cluster, failures, cleanup });
    this.#brokers.add(broker);
    return broker;
  }

  /** Three that know each other. */
  async three(): Promise<readonly [TestBroker, TestBroker, TestBroker]> {
    const brokers = [await this.broker(1), await this.broker(2), await this.broker(3)] as const;
    await this.until(() => brokers.every(({ cluster }) => cluster.aliveCount === 3));
    return brokers;
  }

  /** The lease of a broker that was killed ends, and the placement center cleans up. */
  async buryDead(broker: TestBroker): Promise<void> {
    this.#brokers.delete(broker);
    const name = { clusterType: 'mqtt-broker', nodeId: broker.nodeId } as const;
    await this.registries.nodes.unregister(name, CALL);
    await this.releaseOrphans();
  }

  async releaseOrphans(): Promise<void> {
    const { nodes, sessions } = this.registries;
    const options = { nodes, sessions, clock: systemClock, call: CALL };
    await releaseOrphans(options, new AbortController().signal);
  }

  /** Lets turns of the event loop pass. */
  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
  }

  async close(): Promise<void> {
    for (const broker of this.#brokers) await broker.stop();
    this.#brokers.clear();
    await this.placement.close();
  }

  forget(broker: TestBroker): void {
    this.#brokers.delete(broker);
  }

  #clockOf(nodeId: number): Clock {
    return { ...systemClock, nowMs: () => systemClock.nowMs() + (this.aheadMs.get(nodeId) ?? 0) };
  }
}

const NOWHERE = {
  write: (): void => undefined,
  flushSync: (): void => undefined,
  close: (): Promise<void> => Promise.resolve(),
};

const NOBODY_LISTENS = {
  connected: (): void => {},
  disconnected: (): void => {},
  subscribed: (): void => {},
  unsubscribed: (): void => {},
};

function brokerSettingsOf(nodeId: number, subscribe: string): BrokerSettings {
  const text = [
    `broker_id = ${nodeId}`,
    'http_port = 0',
    '[network]\ntcp_port = 0\nwebsocket_port = "off"',
    `[subscribe]\n${subscribe}`,
  ].join('\n');
  const file = { name: 'test.toml', text };
  const resolved = resolveConfiguration(brokerSchema, { file, environment: {} });
  if (!resolved.ok) throw new Error(resolved.fault.map(describeProblem).join('\n'));
  const machine = { memoryBytes: 2 ** 30, diskBytes: 2 ** 40 };
  const settings = brokerSettingsFrom(resolved.value, machine, '0.0.0');
  if (!settings.ok) throw new Error(settings.fault.map(describeProblem).join('\n'));
  const storage = { ...settings.value.storage, kind: 'memory' as const };
  return { ...settings.value, storage };
}

function clusterSettingsOf(nodeId: number): ClusterSettings {
  return {
    nodeId,
    clusterName: 'test',
    nodeIp: '127.0.0.1',
    innerAddress: `broker-${nodeId}`,
    mqttAddress: `mqtt-${nodeId}:1883`,
    leaseSeconds: 3600,
    subackWaitMs: 5_000,
    yieldWaitMs: 5_000,
    callDeadlineMs: 5_000,
    stateDeadlineMs: 5_000,
    linkBytesMax: 1024 * 1024,
    serveWithoutPlacement: true,
  };
}

/** Keeps no messages: what a session has besides its subscriptions is the durable path's own test. */
function durableOf(context: BrokerContext, states: SharedStates): DurableSessions {
  const claim = (clientId: string, epoch: number): void => {
    const before = states.epochs.get(clientId) ?? 0;
    if (epoch < before) throw new Error(`epoch ${epoch} of ${clientId} is below ${before}`);
    states.epochs.set(clientId, epoch);
  };
  return {
    restore: async (stored) => {
      if (states.restoreFailures > 0) {
        states.restoreFailures -= 1;
        const detail = 'the test says so';
        throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: 'sessions-0', detail });
      }
      claim(stored.clientId, stored.epoch);
      restoreInto(context, stored);
    },
    settle: async (session) => {
      await states.settling;
      if (states.settleFailures > 0) {
        states.settleFailures -= 1;
        const detail = 'the test says so';
        throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: 'sessions-0', detail });
      }
      states.events.push(`settled ${session.clientId} on ${context.settings.nodeId}`);
      session.consumer?.stop();
    },
    forget: async (clientId, epoch) => {
      claim(clientId, epoch);
      states.events.push(`forgot ${clientId}`);
    },
    deal: async ({ key }) => {
      states.events.push(`dealing ${key} on ${context.settings.nodeId}`);
      const nothing = (): void => {};
      const endMember = async (): Promise<void> => {};
      const all = {
        want: () => true,
        keepNodes: nothing,
        deny: nothing,
        stop: nothing,
        end: nothing,
      };
      return { setMembers: nothing, endMember, ...all };
    },
    receive: async () => 'returned',
    placeOf: () => 0,
    publishAs: async (name, publish) => {
      states.events.push(`published ${name}`);
      return publish() !== PublishOutcome.refused;
    },
    isPublished: async ({ name }) => states.events.includes(`published ${name}`),
    fence: async ({ id, incarnation }) => {
      states.events.push(`fenced ${id}.${incarnation}`);
    },
  };
}

function restoreInto(context: BrokerContext, stored: StoredSession): void {
  const { clientId, username, sessionExpirySeconds } = stored;
  const identity = { clientId, username, remoteAddress: '' };
  const session = new ClientSession(context, identity, { sessionExpirySeconds });
  session.ownerEpoch = stored.epoch;
  context.log.sessionMade(session);
  if (session.consumer !== null) context.sessions.restore(session, 0, session.consumer);
  for (const { key, ...options } of stored.subscriptions) {
    const parsed = parseSubscriptionFilter(key, context.settings.limits);
    if (!parsed.ok) continue;
    const subscription = new Subscription(parsed.value.filter, session, { ...options, since: 0 });
    session.addSubscription(key, subscription);
    context.router.subscribe(subscription, parsed.value.shareName);
  }
}
