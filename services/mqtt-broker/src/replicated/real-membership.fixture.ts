import { SeededRandom, systemClock, systemTimers } from '@robustmq/environment';
import type { ProducerName } from '@robustmq/journal';
import { MemoryFrameNetwork } from '@robustmq/node-link';
import type { CallOptions } from '@robustmq/placement';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import { openRegistries, releaseOrphans } from '@robustmq/placement-registry';
import type { BrokerContext } from '../broker-context.ts';
import { ClusterNode } from '../cluster/broker-cluster.ts';
import type { DurableSessions } from '../cluster/contract.ts';
import type { ReplicatedPath } from './contract.ts';

const CALL: CallOptions = { deadlineMs: 10_000, signal: null };

/** A broker that has joined, before its durable path is open. */
export interface Joined {
  readonly producer: ProducerName;
  opened(path: ReplicatedPath): void;
}

/** The membership of brokers in one process: placement store and links in memory. */
export class RealMembership {
  readonly failures: string[] = [];
  readonly #placement = new MemoryPlacement();
  readonly #network = new MemoryFrameNetwork();
  readonly #registries = openRegistries(this.#placement, {
    clusterName: 'test',
    random: new SeededRandom(5),
  });
  readonly #nodes = new Map<number, ClusterNode>();

  /** Sets `context.cluster`. */
  async join(context: BrokerContext, nodeId: number): Promise<Joined> {
    let path: ReplicatedPath | null = null;
    const sessions = (): DurableSessions => {
      if (path === null) throw new Error('the durable path is not open yet');
      return path.sessions;
    };
    const node = new ClusterNode(
      {
        context,
        settings: {
          nodeId,
          clusterName: 'test',
          nodeIp: '127.0.0.1',
          innerAddress: `broker-${nodeId}`,
          mqttAddress: null,
          leaseSeconds: 3600,
          subackWaitMs: 5000,
          yieldWaitMs: 5000,
          callDeadlineMs: 5000,
          stateDeadlineMs: 5000,
          linkBytesMax: 1024 * 1024,
          serveWithoutPlacement: true,
        },
        placement: this.#placement,
        registries: this.#registries,
        transport: this.#network.open(nodeId),
        durable: {
          restore: (stored, deadlineMs) => sessions().restore(stored, deadlineMs),
          settle: (session, deadlineMs) => sessions().settle(session, deadlineMs),
          forget: (clientId, epoch, deadlineMs) => sessions().forget(clientId, epoch, deadlineMs),
          deal: (group, members, deadlineMs) => sessions().deal(group, members, deadlineMs),
          receive: (gift) => sessions().receive(gift),
          placeOf: (topic) => sessions().placeOf(topic),
          publishAs: (name, publish) => sessions().publishAs(name, publish),
          isPublished: (which, deadlineMs) => sessions().isPublished(which, deadlineMs),
          fence: (producer, deadlineMs) => sessions().fence(producer, deadlineMs),
        },
        clock: systemClock,
        timers: systemTimers,
        random: new SeededRandom(nodeId),
        failed: (task, error) => this.failures.push(`${nodeId}: ${task}: ${String(error)}`),
        revoked: () => {},
      },
      () => {},
    );
    context.cluster = node;
    this.#nodes.set(nodeId, node);
    await node.begin();
    const incarnation = node.registration?.node.incarnation ?? 0;
    return {
      producer: { id: nodeId, incarnation },
      opened: (opened) => {
        path = opened;
        node.groups.begun();
      },
    };
  }

  /** It was killed, its lease has ended, and the placement center has cleaned up. */
  async bury(nodeId: number): Promise<void> {
    this.#nodes.get(nodeId)?.kill();
    this.#nodes.delete(nodeId);
    const { nodes, sessions } = this.#registries;
    await nodes.unregister({ clusterType: 'mqtt-broker', nodeId }, CALL);
    const options = { nodes, sessions, clock: systemClock, call: CALL };
    await releaseOrphans(options, new AbortController().signal);
  }

  async close(): Promise<void> {
    await this.#placement.close();
  }
}
