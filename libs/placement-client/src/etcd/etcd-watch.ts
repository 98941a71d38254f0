/**
 * Watches of etcd. Events of one revision come in one response; the revision of a batch is that of its
 * last event, because the one in the header may be ahead of what a slow watch was given.
 *
 * After a compaction etcd still lets a watch begin at the compacted revision, although it may have
 * forgotten deletions there. So each watch begins one revision early, and leaves its events out.
 *
 * Progress is not told: etcd 3.4 does so every ten minutes, or on request, then ahead of its events.
 */

import { systemClock } from '@robustmq/environment';
import {
  isEmptyRange,
  type KeyEvent,
  PlacementError,
  type PlacementFault,
  type Revision,
  type WatchBatch,
} from '@robustmq/placement';
import type { Etcd3, IWatchCreateRequest, IWatchResponse } from 'etcd3';
import type { ResumedWatch } from '../placement-server.ts';
import { faultOfEtcd } from './etcd-faults.ts';
import { boundsOf, eventOf } from './etcd-messages.ts';
import { asReplies } from './etcd-stream.ts';

/** How long the call before a watch may take. */
const TOKEN_MS = 5_000;

/** Follows over one connection. */
export async function* followEtcd(
  client: Etcd3,
  request: ResumedWatch,
  signal: AbortSignal,
): AsyncGenerator<WatchBatch, void> {
  if (isEmptyRange(request.range)) {
    await aborted(signal);
    return;
  }
  const bounds = boundsOf(request.range);
  const create = { ...bounds, start_revision: Math.max(1, request.from - 1) };
  try {
    // A call renews a token that has become invalid; a stream cannot.
    const deadline = systemClock.nowMs() + TOKEN_MS;
    await client.kv.range({ key: bounds.key, count_only: true, serializable: true }, { deadline });
    for await (const response of responses(client, create, signal)) {
      if (response.canceled) throw new PlacementError(cancellationOf(response, request.from));
      const events = response.events
        .map(eventOf)
        .filter((each) => revisionOf(each) >= request.from);
      const last = events.at(-1);
      if (last !== undefined) yield { revision: revisionOf(last), events };
    }
  } catch (error) {
    if (signal.aborted) return;
    throw new PlacementError(faultOfEtcd(error, { effect: 'reads', lease: null }), {
      cause: error,
    });
  }
}

/** How long an answer is waited for that need not come. */
const PROBE_MS = 1_000;

/** The oldest revision that a watch may begin at, asked for with one that begins too early. */
export async function oldestRevision(client: Etcd3, tooOld: Revision): Promise<Revision> {
  const create = { key: Buffer.of(0), start_revision: 1 };
  const signal = AbortSignal.timeout(PROBE_MS);
  try {
    for await (const response of responses(client, create, signal)) {
      if (response.canceled) return oldestOf(response);
      // The answer that the watch is created comes before the one that it is cancelled.
      if (!response.created) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return (tooOld + 1) as Revision;
}

async function* responses(
  client: Etcd3,
  create: IWatchCreateRequest,
  signal: AbortSignal,
): AsyncGenerator<IWatchResponse, void> {
  const stream = await client.watchClient.watch();
  const cancel = (): void => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const replies = asReplies<IWatchResponse>(stream);
    if (signal.aborted) return;
    stream.write({ create_request: create });
    yield* replies;
  } finally {
    signal.removeEventListener('abort', cancel);
    stream.cancel();
  }
}

function revisionOf(event: KeyEvent): Revision {
  return event.kind === 'put' ? event.keyValue.modRevision : event.modRevision;
}

function oldestOf(response: IWatchResponse): Revision {
  return (Number(response.compact_revision) + 1) as Revision;
}

function cancellationOf(response: IWatchResponse, requested: Revision): PlacementFault {
  const oldest = oldestOf(response);
  if (oldest > 1) return { code: 'PLACEMENT_REVISION_COMPACTED', requested, oldest };
  const reason = new Error(`etcd cancelled the watch: ${response.cancel_reason}`);
  return faultOfEtcd(reason, { effect: 'reads', lease: null });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
