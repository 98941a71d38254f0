/** Replicas on the disk of this node, in one Raft host. */
import type { ShardRetention as ReplicaRetention } from '@robustmq/journal';
import type {
  FoundDamage,
  ReplicaStores,
  ShardReplica,
  SpaceWatch,
} from '@robustmq/journal-replica';
import { deleteShardReplica, openShardReplica } from '@robustmq/journal-replica';
import type { ShardRetention } from '@robustmq/placement-registry';
import type { RaftBootstrap, RaftEnvironment, RaftHost } from '@robustmq/raft-driver';
import type { Configuration, RaftOptions } from '@robustmq/raft';
import { openKeyedReplica, keyedGroupNameOf } from '@robustmq/journal-keyed';
import type { WantedEntries } from '../repair/fetch-entries.ts';
import { removeTree } from './remove-tree.ts';
import type { OpenedReplica, ReplicaOpener } from './replica-opener.ts';
import type { HostedShard, StoredReplica } from './shard-set.ts';

/** What all replicas of a node share. */
export interface DiskReplicasOptions {
  readonly host: RaftHost;
  readonly environment: RaftEnvironment;
  readonly stores: ReplicaStores;
  readonly space: SpaceWatch;
  /** Of the node's data; each shard has its own below. */
  readonly directory: string;
  readonly raftOptions: Partial<RaftOptions>;
  readonly segmentBytesMax: number;
  readonly mending: Mending;
}

/** How damage of message shards is found and mended. */
export interface Mending {
  readonly self: number;
  /** Of all replicas together; 0: nothing is read in search of damage. */
  readonly scrubBytesPerSecond: number;
  /** As {@link fetchEntries}. */
  readonly fetchEntries: (wanted: WantedEntries) => Promise<Uint8Array | null>;
  readonly onDamage: (shard: string, found: FoundDamage) => void;
}

/** {@link ReplicaOpener} on `journal-replica` and `journal-keyed`. */
export function diskReplicas(options: DiskReplicasOptions): ReplicaOpener {
  const open = new Set<ShardReplica>();
  return {
    open: (shard, bootstrap, retention) =>
      shard.kind === 'messages'
        ? openMessages(options, shard, { bootstrap, retention, open })
        : openKeyed(options, shard, bootstrap),
    delete: (replica) => deleteReplica(options, replica),
    stored: () => storedReplicas(options),
  };
}

async function openMessages(
  { segmentBytesMax, directory, mending, ...shared }: DiskReplicasOptions,
  { name, groupId }: HostedShard,
  how: {
    readonly bootstrap: RaftBootstrap;
    readonly retention: () => ShardRetention;
    /** Message shards that are open on this node. */
    readonly open: Set<ShardReplica>;
  },
): Promise<OpenedReplica> {
  const { bootstrap, retention, open } = how;
  const { self, scrubBytesPerSecond, fetchEntries } = mending;
  let opened: ShardReplica | null = null;
  const replica = await openShardReplica({
    ...shared,
    directory: directoryOf(directory, groupId),
    name,
    groupId,
    bootstrap,
    limits: {
      segmentBytesMax,
      retention: () => replicaRetention(retention()),
      scrubBytesPerSecond: () => Math.ceil(scrubBytesPerSecond / Math.max(1, open.size)),
    },
    fetchEntries: async (from, through) => {
      if (opened === null) throw new Error('the shard is being opened');
      const nodes = othersIn(opened.status.raft.configuration, self);
      return fetchEntries({ groupId, from, through, nodes });
    },
    onDamage: (found) => mending.onDamage(name, found),
  });
  opened = replica;
  open.add(replica);
  return {
    encodeEntries: (from, through) => replica.encodeEntries(from, through),
    content: { kind: 'messages', replica },
    raft: () => replica.status.raft,
    amounts: () => {
      const { appliedIndex, end, oldest, bytes } = replica.status;
      return { appliedIndex, committed: end, oldest, bytes };
    },
    changeMembership: (changes, deadlineMs) => replica.changeMembership(changes, deadlineMs),
    transferLeadership: (to, deadlineMs) => replica.transferLeadership(to, deadlineMs),
    onLeadership: (listener) => replica.onLeadership(listener),
    close: () => {
      open.delete(replica);
      return replica.close();
    },
  };
}

function othersIn({ voters, outgoing, learners }: Configuration, self: number): readonly number[] {
  return [...new Set<number>([...voters, ...outgoing, ...learners])].filter(
    (each) => each !== self,
  );
}

/** Readers release what they have read (`trimBefore`): the bounds here ask nobody. */
function replicaRetention({ ageMsMax, bytesMax, whenFull }: ShardRetention): ReplicaRetention {
  return {
    ...(ageMsMax === null ? {} : { ageMsMax }),
    ...(bytesMax === null ? {} : { bytesHardMax: bytesMax }),
    atHardLimit: whenFull === 'refuse' ? 'refuse' : 'dropOldest',
  };
}

async function openKeyed(
  { host, environment, directory, raftOptions }: DiskReplicasOptions,
  { name, groupId }: HostedShard,
  bootstrap: RaftBootstrap,
): Promise<OpenedReplica> {
  const replica = await openKeyedReplica({
    host,
    environment,
    directory: directoryOf(directory, groupId),
    name,
    groupId,
    bootstrap,
    raftOptions,
  });
  return {
    encodeEntries: null,
    content: { kind: 'keyed', replica },
    raft: () => replica.status.raft,
    amounts: () => {
      const { revision, storedBytes, raft } = replica.status;
      return {
        appliedIndex: raft.deliveredIndex,
        committed: revision,
        oldest: 0,
        bytes: storedBytes,
      };
    },
    changeMembership: (changes, deadlineMs) => replica.changeMembership(changes, deadlineMs),
    transferLeadership: (to, deadlineMs) => replica.transferLeadership(to, deadlineMs),
    onLeadership: (listener) => replica.onLeadership(listener),
    close: () => replica.close(),
  };
}

/** Those with a Raft log: without one, what lies beside it is nothing. */
async function storedReplicas({
  directory,
  environment,
}: DiskReplicasOptions): Promise<readonly StoredReplica[]> {
  const names = await environment.fileSystem.list(`${directory}/raft/groups`);
  return names.flatMap((name): StoredReplica[] => {
    const parts = /^(shard|keyed)-(\d+)$/.exec(name);
    if (parts === null) return [];
    return [{ kind: parts[1] === 'keyed' ? 'keyed' : 'messages', groupId: Number(parts[2]) }];
  });
}

async function deleteReplica(
  { host, environment, directory }: DiskReplicasOptions,
  { kind, groupId }: StoredReplica,
): Promise<void> {
  const shard = { host, environment, directory: directoryOf(directory, groupId), groupId };
  if (kind === 'messages') await deleteShardReplica(shard);
  else await deleteKeyedReplica(shard);
}

async function deleteKeyedReplica(shard: {
  readonly host: RaftHost;
  readonly environment: RaftEnvironment;
  readonly directory: string;
  readonly groupId: number;
}): Promise<void> {
  await shard.host.deleteGroup(keyedGroupNameOf(shard.groupId));
  await removeTree(shard.environment.fileSystem, shard.directory);
}

/** Group ids are used once, so nothing of an earlier shard is ever found below one. */
function directoryOf(directory: string, groupId: number): string {
  return `${directory}/shards/${groupId}`;
}
