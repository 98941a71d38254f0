import type { Placement } from '@robustmq/placement';
import { describePlacement, type OpenedPlacement } from '@robustmq/placement-conformance';
import { openServedMemory } from './served-store.fixture.ts';

describePlacement('the client over gRPC', {
  capabilities: { requestIds: true, progress: true, time: 'manual', ttlSecondsMin: 2 },
  open: openRemote,
});

async function openRemote(): Promise<OpenedPlacement> {
  const { client, memory, close } = await openServedMemory();
  const asked = countWatches(client);
  const begun = countWatches(memory);
  const advance = async (seconds: number): Promise<void> => {
    // A watch that is under way to the server would not notice the time.
    while (begun() < asked()) await new Promise((resolve) => setImmediate(resolve));
    memory.advance(seconds);
  };
  return { placement: client, advance, close };
}

function countWatches(placement: Placement): () => number {
  const watch = placement.watch.bind(placement);
  let watches = 0;
  placement.watch = (request) => {
    watches += 1;
    return watch(request);
  };
  return () => watches;
}
