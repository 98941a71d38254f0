import { systemTimers } from '@robustmq/environment';
import { PlacementError } from '@robustmq/placement';
import {
  eventsOf,
  eventText,
  MemoryPlacement,
  putText,
  takeEvents,
} from '@robustmq/placement-conformance';
import { defaultServerLimits, openRpcServer, silentObserver } from '@robustmq/rpc';
import { expect, test } from 'vitest';
import { connectTo } from '../served-store.fixture.ts';
import { GroupContact } from './group-contact.ts';
import { kvCalls } from './kv-calls.ts';
import { watchCalls } from './watch-calls.ts';

const SHORT = { timers: systemTimers, checkEveryMs: 20 };

/** A member whose linearizable reads fail once it is cut off. */
class CutOff extends MemoryPlacement {
  isCutOff = false;
  reads = 0;

  override async range(...[request, options]: Parameters<MemoryPlacement['range']>) {
    this.reads += 1;
    if (!this.isCutOff) return super.range(request, options);
    throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail: 'no majority' });
  }
}

async function serveWatches(placement: MemoryPlacement) {
  return openRpcServer({
    host: '127.0.0.1',
    port: 0,
    tls: null,
    clusterToken: null,
    services: [kvCalls(placement, () => undefined), watchCalls(placement, SHORT)],
    limits: defaultServerLimits,
    observer: silentObserver,
  });
}

test('a watch at a member that is cut off goes on at another one', async () => {
  const alone = new CutOff();
  const well = new MemoryPlacement();
  for (const member of [alone, well]) await putText(member, 'k', '0');
  const servers = [await serveWatches(alone), await serveWatches(well)];
  const client = connectTo(servers.map(({ port }) => `127.0.0.1:${port}`));
  const watch = client.watch({
    range: { first: 'k', after: null },
    from: 1 as never,
    progressEveryMs: null,
  });
  const batches = watch[Symbol.asyncIterator]();
  await batches.next();
  alone.isCutOff = true;
  await putText(well, 'k', '1');
  const rest = { cancel: () => watch.cancel(), [Symbol.asyncIterator]: () => batches };
  expect(eventsOf(await takeEvents(rest, 1)).map(eventText)).toEqual(['k=1@2']);
  await client.close();
  for (const server of servers) await server.close(0);
});

test('nothing is asked while nobody watches', async () => {
  const member = new CutOff();
  const rings: (() => void)[] = [];
  const timers = {
    ...systemTimers,
    after: (_: number, action: () => void) => {
      rings.push(action);
      return { cancel: () => rings.splice(rings.indexOf(action), 1) };
    },
  };
  const contact = new GroupContact(member, { timers, checkEveryMs: 1 });
  const first = contact.join();
  const second = contact.join();
  expect(rings).toHaveLength(1);
  first.leave();
  rings.shift()?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect(member.reads).toBe(1);
  expect(second.lost.aborted).toBe(false);
  expect(rings).toHaveLength(1);
  second.leave();
  expect(rings).toHaveLength(0);
});
