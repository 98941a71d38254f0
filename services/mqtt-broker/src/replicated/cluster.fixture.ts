import type { Subscriber } from '@robustmq/broker';
import { Subscription } from '@robustmq/broker';
import { resolveConfiguration } from '@robustmq/config';
import type { ProducerName } from '@robustmq/journal';
import { openSharedMemory, type SharedMemory } from '@robustmq/journal-memory';
import type { Properties, Qos } from '@robustmq/mqtt-codec';
import {
  createBrokerCounters,
  createLoggerTo,
  createMetricsRegistry,
  zeroGaugeSource,
} from '@robustmq/telemetry';
import type { BrokerCluster, ClusterGroups, StoredSession } from '../cluster/contract.ts';
import { ClientConnection } from '../connection/client-connection.ts';
import { brokerSchema } from '../configuration/schema.ts';
import { brokerSettingsFrom } from '../configuration/settings-from.ts';
import type { BrokerContext } from '../broker-context.ts';
import { makeContext } from '../make-context.ts';
import { openAccess } from '../open-access.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { BrokerSettings } from '../settings.ts';
import type { ReplicatedPath } from './contract.ts';
import { MemoryPeer } from './memory-peer.fixture.ts';
import { RealMembership } from './real-membership.fixture.ts';
import { openReplicatedPath } from './replicated-storage.ts';

const MACHINE = { memoryBytes: 2 ** 30, diskBytes: 2 ** 40 };
const DEADLINE_MS = 10_000;
const COUNTS = { messages: 3, sessions: 2, retained: 2 };
export const KEPT: Properties = { sessionExpiryIntervalSeconds: 3600 };

/** One life of one broker over the shared journal. */
export interface Node {
  readonly name: string;
  readonly producer: ProducerName;
  readonly context: BrokerContext;
  readonly path: ReplicatedPath;
  readonly peers: MemoryPeer[];
  alive: boolean;
}

/** By hand, no group has a durable member. */
const NO_GROUPS: ClusterGroups = {
  isDealt: () => false,
  groupsOf: () => [],
  hasOthers: () => false,
  want: async () => {},
  endMember: async () => {},
  deny: async () => {},
  give: async () => 'returned',
};

/** What the placement center knows of a session. */
interface Ownership {
  readonly node: Node;
  readonly epoch: number;
}

/**
 * Brokers of one cluster in this process, over one journal in memory. The fixture does by hand what the
 * membership of a cluster does: it says who owns a session, moves it, and tells every broker of durable
 * interest.
 */
export class Cluster {
  readonly memory: SharedMemory = openSharedMemory();
  readonly nodes: Node[] = [];
  readonly #owners = new Map<string, Ownership>();
  readonly #interest: { readonly filter: string; readonly qos: Qos }[] = [];
  readonly #settings: BrokerSettings;
  #lives = 0;
  /** Faults that would end a broker's process. */
  readonly fatal: string[] = [];

  readonly #real: RealMembership | null;

  /** @param membership  `real`: by placement center and links between brokers, in this process too */
  constructor(membership: 'by hand' | 'real' = 'by hand', limits = '') {
    this.#real = membership === 'real' ? new RealMembership() : null;
    const text = `http_port = 0\n[network]\ntcp_port = 0\n[storage]\nstorage_type = "memory"\n[limits]\n${limits}`;
    const resolved = resolveConfiguration(brokerSchema, {
      file: { name: 'test.toml', text },
      environment: {},
    });
    if (!resolved.ok) throw new Error('the settings of the fixture are wrong');
    const settings = brokerSettingsFrom(resolved.value, MACHINE, '0.0.0');
    if (!settings.ok) throw new Error('the settings of the fixture are wrong');
    this.#settings = settings.value;
  }

  async start(name: string, id: number): Promise<Node> {
    this.#lives += 1;
    const target = { write() {}, flushSync() {}, close: async () => {} };
    const counters = createBrokerCounters();
    const context = makeContext({
      settings: this.#settings,
      logger: createLoggerTo(target, { level: 'silent', format: 'json' }, 'file'),
      counters,
      histograms: createMetricsRegistry(counters, zeroGaugeSource).histograms,
      access: (await openAccess(this.#settings.access)).control,
      methods: [],
    });
    context.presence = { connected() {}, disconnected() {}, subscribed() {}, unsubscribed() {} };
    const process = `${name}-${this.#lives}`;
    const joined = await this.#real?.join(context, id);
    const producer = joined?.producer ?? { id, incarnation: this.#lives };
    const journal = this.memory.connect(process);
    const path = await openReplicatedPath(context, { journal, producer, counts: COUNTS });
    joined?.opened(path);
    const node: Node = { name: process, producer, context, path, peers: [], alive: true };
    context.fatal = (what, error) => {
      if (node.alive) this.fatal.push(`${process}: ${what}: ${String(error)}`);
    };
    context.cluster ??= this.#membershipOf(node);
    for (const interest of this.#interest) addInterest(node, interest);
    this.nodes.push(node);
    return node;
  }

  get alive(): Node[] {
    return this.nodes.filter(({ alive }) => alive);
  }

  /** The process dies: what it sent may still arrive, and nothing of it is heard any more. */
  async crash(node: Node): Promise<void> {
    node.alive = false;
    node.path.stop();
    for (const peer of node.peers.splice(0)) peer.cut();
    await this.#real?.bury(node.producer.id);
  }

  /** Durable sessions somewhere want it: every broker knows before SUBACK. */
  want(filter: string, qos: Qos): void {
    this.#interest.push({ filter, qos });
    for (const node of this.alive) addInterest(node, { filter, qos });
  }

  /** A client whose session is at `node` by then, and which has its CONNACK. */
  async client(
    node: Node,
    clientId: string,
    properties: Properties = KEPT,
    prepare: (peer: MemoryPeer) => void = () => {},
  ): Promise<MemoryPeer> {
    const peer = new MemoryPeer((connection) => new ClientConnection(node.context, connection));
    prepare(peer);
    node.peers.push(peer);
    peer.connect(clientId, false, properties);
    await until(() => peer.closed || peer.packets.some(({ kind }) => kind === 'connack'));
    return peer;
  }

  async end(): Promise<void> {
    for (const node of this.alive) await this.crash(node);
    await this.#real?.close();
  }

  #membershipOf(node: Node): BrokerCluster {
    return {
      isCongested: false,
      isDraining: false,
      redirect: () => null,
      groups: NO_GROUPS,
      acquire: async ({ clientId }) => ({
        verdict: 'owned',
        epoch: await this.#move(clientId, node),
      }),
      abandoned() {},
      attached() {},
      detached() {},
      subscribed: async (session, keys) => {
        for (const key of keys) this.want(key, (session.subscriptions.get(key)?.qos ?? 0) as Qos);
        return { outcome: 'applied' };
      },
      unsubscribed: async () => ({ outcome: 'applied' }),
    };
  }

  /** @returns the epoch by which `node` owns the session from now on */
  async #move(clientId: string, node: Node): Promise<number> {
    const owner = this.#owners.get(clientId);
    const epoch = (owner?.epoch ?? 0) + 1;
    this.#owners.set(clientId, { node, epoch });
    if (owner === undefined || owner.node === node) return epoch;
    const session = owner.node.context.sessions.find(clientId);
    if (session === undefined) return epoch;
    const stored = storedOf(session, epoch);
    if (owner.node.alive) {
      session.connection?.close(0x8e, 'another connection took the session over');
      await owner.node.path.sessions.settle(session, DEADLINE_MS);
      owner.node.context.sessions.discard(session);
    } else await node.path.sessions.fence(owner.node.producer, DEADLINE_MS);
    await node.path.sessions.restore(stored, DEADLINE_MS);
    return epoch;
  }
}

function storedOf(session: ClientSession, epoch: number): StoredSession {
  return {
    clientId: session.clientId,
    username: session.identity.username,
    epoch,
    sessionExpirySeconds: session.sessionExpirySeconds,
    subscriptions: [...session.subscriptions].map(([key, each]) => ({
      key,
      qos: each.qos,
      noLocal: each.noLocal,
      retainAsPublished: each.retainAsPublished,
      retainHandling: each.retainHandling,
      identifier: each.identifier,
    })),
  };
}

function addInterest(node: Node, interest: { readonly filter: string; readonly qos: Qos }): void {
  const subscriber: Subscriber = {
    durable: true,
    clientId: '',
    online: false,
    inflight: 0,
    deliver() {},
  };
  const options = { noLocal: false, retainAsPublished: false, identifier: 0, since: 0 } as const;
  const { filter, qos } = interest;
  const subscription = new Subscription(filter, subscriber, {
    ...options,
    qos,
    retainHandling: 0,
  });
  node.context.router.subscribe(subscription, null);
}

/** Turns of the event loop pass until it is so. @throws after 20 s */
export async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 20_000;
  for (let turn = 0; !isSo(); turn += 1) {
    if (performance.now() > endMs) throw new Error('what was waited for does not come');
    await new Promise((resolve) => (turn < 1000 ? setImmediate(resolve) : setTimeout(resolve, 5)));
  }
}

export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
