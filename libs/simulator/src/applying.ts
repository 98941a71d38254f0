/** How one node applies committed entries to its state machine, and who hears of it. */
import { type AppliedCommand, type Command, decodeCommand } from '@robustmq/placement';
import type { Entry, LogIndex } from '@robustmq/raft';
import { HELD_KEYS } from './lease-holder.ts';
import type { SimulatedNode } from './node.ts';
import { isShardEntry } from './shard-log.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** Applies one entry; the caller moves the node's applied index. */
export function applyEntry(world: World, node: SimulatedNode, entry: Entry): void {
  if (entry.kind !== 'data') node.disk.machine.applied(entry.index, [], null);
  else if (isShardEntry(entry.data)) applyToShard(world, node, entry.data, entry.index);
  else applyCommand(world, node, entry.data, entry.index);
  world.checkers.applied(node.id, entry, node.machine.digest);
}

function applyCommand(world: World, node: SimulatedNode, data: Uint8Array, index: LogIndex): void {
  const decoded = decodeCommand(data);
  if (!decoded.ok) throw new Violation('assertion', `entry ${index}: ${decoded.fault.detail}`);
  const command = decoded.value;
  const applied = node.machine.apply(world.bugs.appliesRetries ? unnamed(command) : command);
  node.disk.machine.applied(index, applied.writes, null);
  check(world, node, command, applied, index);
  for (const watcher of world.watchers) {
    if (applied.events.length > 0) watcher.applied(node, applied.revision, applied.events);
  }
  if (command.kind === 'revokeLease') node.leases.revoked(command.id);
  node.leases.applied(applied.result);
  node.requests.commandApplied(command, applied.result);
}

function applyToShard(
  { bugs, checkers }: World,
  node: SimulatedNode,
  entry: Uint8Array,
  index: LogIndex,
): void {
  const judgesAppends = !bugs.appendsRepetitions;
  const applied = node.machine.shard.apply(entry, judgesAppends);
  node.disk.machine.applied(index, [], { entry, judgesAppends });
  checkers.shard.applied(node.id, applied);
  node.requests.shardApplied(entry, applied.outcome);
}

function check(
  { checkers, queue, tally }: World,
  node: SimulatedNode,
  command: Command,
  { result, revision, events }: AppliedCommand,
  index: LogIndex,
): void {
  checkers.changes.applied(node.id, revision, events);
  if (command.kind === 'transact' && result.kind === 'transacted' && !result.result.repeated) {
    checkers.executed(command.transaction.requestId ?? '', index);
    if (events.some((event) => event.kind === 'delete' && event.key.startsWith(HELD_KEYS))) {
      throw new Violation('lease ended early', `a held key was deleted at revision ${revision}`);
    }
  }
  if (command.kind !== 'revokeLease' || result.kind !== 'leaseRevoked') return;
  if (command.reason === 'asked') checkers.leases.givenBack(command.id);
  else if (checkers.leases.expired(command.id, queue.nowMs)) tally.add('lease expired');
}

/** A write that has lost its request id. */
function unnamed(command: Command): Command {
  if (command.kind !== 'transact') return command;
  return { kind: 'transact', transaction: { ...command.transaction, requestId: null } };
}
