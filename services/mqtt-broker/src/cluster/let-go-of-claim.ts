import type { SessionOwner, SessionRecord } from '@robustmq/placement-registry';
import { Backoff } from '@robustmq/rpc';
import { waitMs } from '../broker-environment.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { ClusterEdges } from './cluster-edges.ts';
import { isFenced } from './ownership-answers.ts';

const RETRY = { firstMs: 50, longestMs: 2_000 };

/**
 * Releases the session that a failed connect may have claimed, whose outcome need not be known: its
 * expiry and its will, which only run while nobody owns it, go on from now. What the connect had restored
 * of it leaves this broker, also when somebody else owns the session by then.
 *
 * Never rejects: tried until it is done, somebody else has the session, or `isOver` says so.
 */
export async function letGoOfClaim(
  edges: ClusterEdges,
  claim: { readonly clientId: string; readonly owner: SessionOwner },
  isOver: () => boolean,
): Promise<void> {
  const backoff = new Backoff(RETRY, edges.random);
  while (!isOver()) {
    try {
      await letGoOnce(edges, claim);
      return;
    } catch (error) {
      if (isFenced(error)) return;
      edges.failed('releasing a session', error);
      await waitMs(edges.timers, backoff.nextMs());
    }
  }
}

async function letGoOnce(
  { context, registries, durable, settings, clock }: ClusterEdges,
  { clientId, owner }: { readonly clientId: string; readonly owner: SessionOwner },
): Promise<void> {
  const call = { deadlineMs: settings.callDeadlineMs, signal: null };
  const record = (await registries.sessions.read(clientId, call))?.value ?? null;
  const session = context.sessions.find(clientId);
  if (record === null || !isOf(record, owner)) {
    if (session !== undefined && isLeftOver(session, record)) context.sessions.discard(session);
    return;
  }
  if (session?.online === true) return;
  if (session !== undefined) {
    await durable.settle(session, settings.stateDeadlineMs);
    if (session.online) return;
    context.sessions.discard(session);
  }
  await registries.sessions.release(record, Math.max(0, Math.floor(clock.nowMs())), call);
}

/** Nobody is connected to it, and it is not what the record stands for any more. */
function isLeftOver({ online, ownerEpoch }: ClientSession, record: SessionRecord | null): boolean {
  return !online && ownerEpoch > 0 && (record === null || ownerEpoch < record.epoch);
}

/** By this very connect. */
function isOf({ owner }: SessionRecord, { nodeId, incarnation, connectionId }: SessionOwner) {
  return (
    owner?.nodeId === nodeId &&
    owner.incarnation === incarnation &&
    owner.connectionId === connectionId
  );
}
