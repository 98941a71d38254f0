import type { ProducerName } from '@robustmq/journal';
import { PlacementError } from '@robustmq/placement';
import {
  brokerShards,
  ensureShards,
  BROKER_NAMESPACE,
  KEEP_UNTIL_RELEASED,
  type Registration,
} from '@robustmq/placement-registry';
import { Backoff, silentObserver } from '@robustmq/rpc';
import { log, logEvents } from '@robustmq/telemetry';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import type { ReplicatedPath } from '../replicated/contract.ts';
import { openReplicatedPath } from '../replicated/replicated-storage.ts';
import type { ClusterPlace } from '../settings.ts';
import { ClusterNode } from './broker-cluster.ts';
import { connectCluster, type ConnectedCluster } from './connect-cluster.ts';
import { LateSessions } from './late-sessions.ts';
import { mountOperatorCalls } from './operator-calls.ts';
import { RefusingLog, refuseFromNowOn } from './refusing-log.ts';

/** How long a start waits for the placement center and the journal servers. */
const START_WAIT_MS = 120_000;
const STATE_DEADLINE_MS = 10_000;
const TRIM_EVERY_SECONDS = 10;
const RETRY = { firstMs: 100, longestMs: 2_000 };

/**
 * A broker in its cluster: registered, knowing what the others want, with the shards open. Each of its
 * lives has a durable path of its own, because it appends under the name of that life.
 */
export class OpenCluster {
  readonly node: ClusterNode;
  readonly #context: BrokerContext;
  readonly #place: ClusterPlace;
  readonly #connected: ConnectedCluster;
  readonly #sessions = new LateSessions();
  #path: ReplicatedPath | null = null;
  /** Settles when the path of the newest life is open, or that life is over. */
  #opening: Promise<void> = Promise.resolve();
  #life: Registration | null = null;
  #ticks = 0;
  #stopped = false;

  constructor(context: BrokerContext, place: ClusterPlace, connected: ConnectedCluster) {
    this.#context = context;
    this.#place = place;
    this.#connected = connected;
    const { placement, registries, transport, innerAddress } = connected;
    const { nodeId, clusterName } = context.settings;
    const { brokerIp: nodeIp, leaseSeconds, subackWaitMs, yieldWaitMs, callDeadlineMs } = place;
    context.log = new RefusingLog(context.timers);
    this.node = new ClusterNode(
      {
        settings: {
          ...{ nodeId, clusterName, nodeIp, innerAddress, leaseSeconds, subackWaitMs },
          ...{ yieldWaitMs, callDeadlineMs, stateDeadlineMs: STATE_DEADLINE_MS },
          mqttAddress: place.mqttAddress,
          linkBytesMax: place.linkBytesMax,
          serveWithoutPlacement: place.serveWithoutPlacement,
        },
        ...{ context, placement, registries, transport, durable: this.#sessions },
        ...{ clock: context.clock, timers: context.timers, random: context.random },
        failed: (task, error) => this.#failed(task, error),
        revoked: (node, incarnation) => {
          log(context.logger, logEvents.clusterNodeRevoked, { nodeId: node, incarnation });
        },
      },
      (registration) => this.#lifeChanged(registration),
    );
    context.cluster = this.node;
  }

  /**
   * After it clients may be let in.
   *
   * @throws what the last attempt met, when nobody answers for 120 s or the token is refused
   */
  async begin(): Promise<void> {
    const { clock, timers, random } = this.#context;
    const backoff = new Backoff(RETRY, random);
    const untilMs = clock.monotonicMs() + START_WAIT_MS;
    for (;;) {
      try {
        await this.#ensureShards();
        await this.node.begin();
        break;
      } catch (error) {
        if (clock.monotonicMs() > untilMs || isForGood(error)) throw error;
        this.#failed('joining the cluster', error);
        await waitMs(timers, backoff.nextMs());
      }
    }
    // A life may end before its shards are open: then the next one opens them.
    while (this.#path === null && !this.#stopped && clock.monotonicMs() < untilMs) {
      await this.#opening;
      if (this.#path === null) await waitMs(timers, RETRY.firstMs);
    }
    if (this.#path === null) throw new Error('the shards of the journal could not be opened');
  }

  /** Once a second. */
  tick(): void {
    const path = this.#path;
    if (path === null) return;
    path.tick();
    this.#ticks += 1;
    if (this.#ticks % TRIM_EVERY_SECONDS !== 0 || !this.node.isElected) return;
    path.trimOnce(STATE_DEADLINE_MS).catch((error: unknown) => this.#failed('trimming', error));
  }

  /** The connections are closed. At most `drainMs` for sessions that are being given up. */
  async stop(drainMs: number): Promise<void> {
    this.#stopped = true;
    await this.node.stop(drainMs);
    this.#path?.stop();
    this.#path = null;
    await this.#connected.close();
  }

  /** Without a goodbye, for tests: as a process that was killed. */
  kill(): void {
    this.#stopped = true;
    this.node.kill();
    this.#path?.stop();
    this.#path = null;
  }

  async #ensureShards(): Promise<void> {
    const { shards, shardReplicas, callDeadlineMs } = this.#place;
    await ensureShards(
      this.#connected.registries.shards,
      brokerShards(shards, KEEP_UNTIL_RELEASED),
      { namespace: BROKER_NAMESPACE, replicas: shardReplicas, nowMs: this.#context.clock.nowMs() },
      { deadlineMs: callDeadlineMs, signal: null },
    );
  }

  #lifeChanged(registration: Registration | null): void {
    this.#life = registration;
    this.#sessions.current = null;
    this.#path?.stop();
    this.#path = null;
    if (registration === null) refuseFromNowOn(this.#context);
    // One after the other: an earlier life that is still opening leaves its log last otherwise.
    else this.#opening = this.#opening.then(() => this.#openPath(registration));
  }

  /** Never rejects: tried until it is open or this life is over. */
  async #openPath(registration: Registration): Promise<void> {
    const { clock, timers, random } = this.#context;
    const backoff = new Backoff(RETRY, random);
    const { nodeId, incarnation } = registration.node;
    const producer: ProducerName = { id: nodeId, incarnation };
    const untilMs = clock.monotonicMs() + START_WAIT_MS;
    while (this.#life === registration && !this.#stopped && clock.monotonicMs() < untilMs) {
      try {
        const path = await openReplicatedPath(this.#context, {
          journal: this.#connected.journal,
          producer,
          counts: this.#place.shards,
          fenced: () => this.node.fenced(registration),
        });
        if (this.#life !== registration || this.#stopped) {
          path.stop();
          if (this.#life === null) refuseFromNowOn(this.#context);
          return;
        }
        this.#path = path;
        this.#sessions.current = path.sessions;
        this.node.groups.begun();
        return;
      } catch (error) {
        refuseFromNowOn(this.#context);
        this.#failed('opening the shards of the journal', error);
        await waitMs(timers, backoff.nextMs());
      }
    }
  }

  #failed(task: string, error: unknown): void {
    const err = error instanceof Error ? error : new Error(String(error));
    log(this.#context.logger, logEvents.taskFailed, { task, err });
  }
}

/** The placement center answers, and does not let this broker in: waiting makes no difference. */
function isForGood(error: unknown): boolean {
  return error instanceof PlacementError && error.fault.code === 'PLACEMENT_UNAUTHENTICATED';
}

/** Opens the port for the other brokers; `begin` joins. @throws RpcSetupError and as {@link connectCluster} */
export async function openClusterOf(
  context: BrokerContext,
  place: ClusterPlace,
): Promise<OpenCluster> {
  let cluster: OpenCluster | null = null;
  const operators = mountOperatorCalls(context, () => cluster?.node.drain ?? null);
  const observer = {
    ...silentObserver,
    handlerFailed: (method: string, error: unknown) => {
      const err = error instanceof Error ? error : new Error(String(error));
      log(context.logger, logEvents.taskFailed, { task: method, err });
    },
  };
  const connected = await connectCluster(context.settings, place, { observer, operators });
  cluster = new OpenCluster(context, place, connected);
  return cluster;
}
