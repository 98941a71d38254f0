import { PlacementError } from '@robustmq/placement';
import type { cluster } from '@robustmq/rpc';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print, table } from '../output.ts';
import { onLeader, onMember } from './cluster-calls.ts';
import { assertAddress, connectionFrom } from './connection.ts';
import type { ServerFlags } from './server-flags.ts';

/** `place members` */
export async function runMembers(flags: ServerFlags): Promise<void> {
  const connection = connectionFrom(flags);
  const { call } = connection;
  const reply = await onLeader(connection, async (client) => {
    // Anybody can tell the members; only the leader knows how far each has come.
    const { role, leaderAddr } = await client.status({}, call);
    if (role !== 'leader' && leaderAddr !== '') {
      throw new PlacementError({ code: 'PLACEMENT_NOT_LEADER', leader: leaderAddr });
    }
    return client.members({}, call);
  });
  printMembers(reply, flags);
}

/** `place add-learner ID HOST:PORT` */
export async function runAddLearner(
  id: string,
  address: string,
  flags: ServerFlags,
): Promise<void> {
  assertAddress(address);
  const request = { nodeId: memberNumber(id), address };
  const connection = connectionFrom(flags);
  const reply = await onLeader(connection, (client) => client.addLearner(request, connection.call));
  printMembers(reply, flags);
}

/** `place promote ID…` */
export async function runPromote(ids: readonly string[], flags: ServerFlags): Promise<void> {
  const request = { nodeIds: ids.map(memberNumber) };
  const connection = connectionFrom(flags);
  printMembers(
    await onLeader(connection, (client) => client.promote(request, connection.call)),
    flags,
  );
}

/** `place remove ID…` */
export async function runRemove(ids: readonly string[], flags: ServerFlags): Promise<void> {
  const request = { nodeIds: ids.map(memberNumber) };
  const connection = connectionFrom(flags);
  printMembers(
    await onLeader(connection, (client) => client.remove(request, connection.call)),
    flags,
  );
}

/** `place transfer-leader ID` */
export async function runTransferLeader(id: string, flags: ServerFlags): Promise<void> {
  const request = { nodeId: memberNumber(id) };
  const connection = connectionFrom(flags);
  const { term } = await onLeader(connection, (client) =>
    client.transferLeader(request, connection.call),
  );
  if (flags.output === 'json') print(JSON.stringify({ leader: request.nodeId, term }));
  else print(`member ${String(request.nodeId)} leads in term ${String(term)}`);
}

/** `place snapshot`: on each member named with --server. */
export async function runSnapshot(flags: ServerFlags): Promise<void> {
  const connection = connectionFrom(flags);
  for (const server of connection.servers) {
    const { index } = await onMember(connection, server, (client) =>
      client.snapshot({}, connection.call),
    );
    if (flags.output === 'json') print(JSON.stringify({ server, index }));
    else print(`${server}: snapshot at log index ${String(index)}`);
  }
}

/** `place status --server …`: what each member named says of itself. */
export async function runRemoteStatus(flags: ServerFlags): Promise<void> {
  const connection = connectionFrom(flags);
  const replies: cluster.StatusReply[] = [];
  const silent: string[] = [];
  for (const server of connection.servers) {
    try {
      replies.push(
        await onMember(connection, server, (client) => client.status({}, connection.call)),
      );
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      silent.push(error.message);
    }
  }
  if (flags.output === 'json') print(JSON.stringify({ members: replies, silent }));
  else if (replies.length > 0) print(statusTable(replies));
  if (silent.length > 0) throw new CommandError(ExitCode.unavailable, silent.join('\n'));
}

const STATUS_HEADING =
  'member role leader term commit applied revision bytes leases watches version uptime'.split(' ');

function statusTable(replies: readonly cluster.StatusReply[]): string {
  const rows = replies.map((reply) => [
    String(reply.nodeId),
    reply.role,
    reply.leaderId === 0 ? 'none' : String(reply.leaderId),
    String(reply.term),
    String(reply.commitIndex),
    String(reply.appliedIndex),
    String(reply.revision),
    String(reply.storeBytes),
    String(reply.leases),
    String(reply.watches),
    reply.version,
    `${String(reply.uptimeSeconds)} s`,
  ]);
  return table(STATUS_HEADING, rows);
}

function printMembers(reply: cluster.MembersReply, flags: ServerFlags): void {
  if (flags.output === 'json') {
    print(JSON.stringify(reply));
    return;
  }
  const rows = reply.members.map((member) => [
    String(member.nodeId),
    member.address === '' ? 'unknown' : member.address,
    member.voter ? 'voter' : 'learner',
    member.leader ? 'leads' : '',
    member.matchIndex === 0 ? '' : String(member.matchIndex),
  ]);
  print(table(['member', 'address', 'vote', 'leader', 'log'], rows));
  if (reply.joint) print('a change of the voters is under way');
}

function memberNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 65_535) return number;
  throw new CommandError(
    ExitCode.usage,
    `"${text}" is no member number: expected a whole number from 1 to 65535`,
  );
}
