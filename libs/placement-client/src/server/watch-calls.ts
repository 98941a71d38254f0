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
import { GroupContact, type GroupContactOptions } from './group-contact.ts';
import { optionsOf } from './served-registries.ts';

/** WatchService, for `openRpcServer`. */
export function watchCalls(placement: Placement, options: GroupContactOptions): MountedService {
  const contact = new GroupContact(placement, options);
  return mount(watchService, {
    watch: (request, context) => follow({ placement, contact }, request, context),
  });
}

/** The first message has no events and tells where the watch begins. */
async function* follow(
  { placement, contact }: { readonly placement: Placement; readonly contact: GroupContact },
  request: WatchRequest,
  context: CallContext,
): AsyncGenerator<WatchMessage, void, undefined> {
  const from = request.from ?? (await nextRevision(placement, context));
  const { lost, leave } = contact.join();
  const stop = AbortSignal.any([context.signal, context.closing, lost]);
  const watch = placement.watch({ ...request, from });
  const cancel = (): void => watch.cancel();
  stop.addEventListener('abort', cancel, { once: true });
  try {
    if (stop.aborted) return;
    yield { revision: (from - 1) as Revision, events: [], more: false };
    for await (const batch of watch) yield* watchMessagesOf(batch);
    if (lost.aborted) throw lost.reason;
  } finally {
    stop.removeEventListener('abort', cancel);
    watch.cancel();
    leave();
  }
}

async function nextRevision(placement: Placement, context: CallContext): Promise<Revision> {
  const request = {
    range: { first: '', after: '' },
    limit: 1,
    content: 'count',
    consistency: 'linearizable',
  } as const;
  const { revision } = await placement.range(request, optionsOf(context));
  return (revision + 1) as Revision;
}
