/** WatchService on a `Placement`: one stream is one watch. */

import type { Placement, Revision, WatchRequest } from '@robustmq/placement';
import {
  type CallContext,
  mount,
  type MountedService,
  type WatchMessage,
  watchMessagesOf,
  watchService,
} from '@robustmq/rpc';

/** WatchService, for `openRpcServer`. */
export function watchCalls(placement: Placement): MountedService {
  return mount(watchService, {
    watch: (request, context) => follow(placement, request, context),
  });
}

/** The first message has no events and tells where the watch begins. */
async function* follow(
  placement: Placement,
  request: WatchRequest,
  context: CallContext,
): AsyncGenerator<WatchMessage, void, undefined> {
  const from = request.from ?? (await nextRevision(placement, context));
  const stop = AbortSignal.any([context.signal, context.closing]);
  if (stop.aborted) return;
  const watch = placement.watch({ ...request, from });
  const cancel = (): void => watch.cancel();
  stop.addEventListener('abort', cancel, { once: true });
  try {
    yield { revision: (from - 1) as Revision, events: [], more: false };
    for await (const batch of watch) yield* watchMessagesOf(batch);
  } finally {
    stop.removeEventListener('abort', cancel);
    watch.cancel();
  }
}

async function nextRevision(placement: Placement, context: CallContext): Promise<Revision> {
  const request = {
    range: { first: '', after: '' },
    limit: 1,
    content: 'count',
    consistency: 'linearizable',
  } as const;
  const options = { deadlineMs: Math.min(context.deadlineMs, 10_000), signal: context.signal };
  const { revision } = await placement.range(request, options);
  return (revision + 1) as Revision;
}
