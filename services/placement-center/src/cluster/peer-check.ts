/**
 * Asks the peers named in the configuration who they are, so that a wrong line in it is told as a
 * sentence and not as an election that never ends.
 *
 * A peer that does not answer is no mistake: members may start in any order. It is asked again until
 * it has answered once or was removed: then its address may be anybody's. The first stranger ends the
 * check.
 */
import type { TimerHandle, Timers } from '@robustmq/environment';
import type { cluster } from '@robustmq/rpc';
import { PlacementCenterError } from '../placement-center-error.ts';
import type { ClusterIdentity } from './cluster-file.ts';

/** What one peer says of itself. Rejects when it does not answer. */
export type AskPeer = (address: string) => Promise<cluster.StatusReply>;

const ASK_AGAIN_MS = 2000;

export interface PeerCheckOptions {
  readonly clusterName: string;
  readonly nodeId: number;
  readonly nodes: ReadonlyMap<number, string>;
  readonly ask: AskPeer;
  readonly timers: Timers;
}

/** The first member that answers tells which cluster to join. @throws PlacementCenterError for a stranger */
export async function clusterToJoin(
  options: PeerCheckOptions,
  signal: AbortSignal,
): Promise<string | null> {
  const others = [...options.nodes].filter(([node]) => node !== options.nodeId);
  while (!signal.aborted) {
    for (const [node, address] of others) {
      const reply = await options.ask(address).catch(() => null);
      if (reply === null || reply.clusterId === '') continue;
      assertPeer(options, { node, address, reply });
      return reply.clusterId;
    }
    await pause(options.timers, signal);
  }
  return null;
}

function pause(timers: Timers, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let timer: TimerHandle | null = null;
    const end = (): void => {
      timer?.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    timer = timers.after(ASK_AGAIN_MS / 4, end);
    signal.addEventListener('abort', end);
  });
}

/** What a check needs to know while it runs, and whom it tells. */
export interface PeerCheckEdges {
  /** Whether the group has not removed this member of the configuration. */
  readonly isPeer: (node: number) => boolean;
  /** At most once. */
  readonly onMistake: (error: PlacementCenterError) => void;
}

/** Checks each peer once it answers; ends when all have, or when it is stopped. */
export class PeerCheck {
  readonly #options: PeerCheckOptions;
  readonly #own: ClusterIdentity;
  readonly #edges: PeerCheckEdges;
  readonly #unknown: Map<number, string>;
  #timer: TimerHandle | null = null;
  #isStopped = false;

  constructor(options: PeerCheckOptions, own: ClusterIdentity, edges: PeerCheckEdges) {
    this.#options = options;
    this.#own = own;
    this.#edges = edges;
    this.#unknown = new Map([...options.nodes].filter(([node]) => node !== options.nodeId));
  }

  start(): void {
    this.#round().catch((error: unknown) => {
      if (!this.#isStopped && error instanceof PlacementCenterError) this.#edges.onMistake(error);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #round(): Promise<void> {
    this.#forgetRemoved();
    const replies = await Promise.all(
      [...this.#unknown].map(async ([node, address]) => {
        const reply = await this.#options.ask(address).catch(() => null);
        return { node, address, reply };
      }),
    );
    this.#forgetRemoved();
    for (const { node, address, reply } of replies) {
      if (!this.#unknown.has(node)) continue;
      // A member that is still joining has no identity to compare.
      if (reply === null || reply.clusterId === '') continue;
      assertPeer(this.#options, { node, address, reply });
      assertSameCluster(this.#own, { node, address, reply });
      this.#unknown.delete(node);
    }
    if (this.#unknown.size === 0 || this.#isStopped) return;
    this.#timer = this.#options.timers.after(ASK_AGAIN_MS, () => this.start());
  }

  #forgetRemoved(): void {
    for (const node of this.#unknown.keys()) {
      if (!this.#edges.isPeer(node)) this.#unknown.delete(node);
    }
  }
}

interface Answer {
  readonly node: number;
  readonly address: string;
  readonly reply: cluster.StatusReply;
}

function assertPeer(options: PeerCheckOptions, { node, address, reply }: Answer): void {
  if (reply.clusterName !== options.clusterName) {
    throw wrongPeer(
      `${address}, which nodes names as member ${String(node)}, belongs to the cluster "${reply.clusterName}", ` +
        `but cluster_name here is "${options.clusterName}": correct the address or the name`,
    );
  }
  if (reply.nodeId === options.nodeId) {
    throw wrongPeer(
      `${address}, which nodes names as member ${String(node)}, says that it is member ${String(reply.nodeId)}, ` +
        'which is this one: two members have the same node_id, or an address in nodes is wrong',
    );
  }
  if (reply.nodeId !== node) {
    throw wrongPeer(
      `${address}, which nodes names as member ${String(node)}, says that it is member ${String(reply.nodeId)}: ` +
        'correct nodes here, or node_id there',
    );
  }
}

function assertSameCluster(own: ClusterIdentity, { node, address, reply }: Answer): void {
  if (reply.clusterId !== own.clusterId) {
    throw wrongPeer(
      `member ${String(node)} at ${address} belongs to another cluster of the name "${own.clusterName}" ` +
        `(${reply.clusterId}, not ${own.clusterId}): one of the two was restored from a backup. ` +
        'Take it out of nodes, or start this member with an empty data_path and join = true',
    );
  }
  if (own.founders.length === 0 || reply.founders.length === 0) return;
  const theirs = [...reply.founders].toSorted((left, right) => left - right).join(', ');
  const ours = [...own.founders].toSorted((left, right) => left - right).join(', ');
  if (theirs === ours) return;
  throw wrongPeer(
    `member ${String(node)} at ${address} was founded with the members ${theirs}, this one with ${ours}: ` +
      'nodes must name the same founding members on each of them. A member that comes later starts with ' +
      'an empty data_path and join = true',
  );
}

function wrongPeer(message: string): PlacementCenterError {
  return new PlacementCenterError('PLACEMENT_CENTER_WRONG_PEER', message);
}
