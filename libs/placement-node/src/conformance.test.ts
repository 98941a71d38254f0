import { ManualTimers } from '@robustmq/environment';
import { DEFAULT_STATE_MACHINE_LIMITS } from '@robustmq/placement';
import { describePlacement, type OpenedPlacement } from '@robustmq/placement-conformance';
import { put, SOON, TestCluster } from './cluster.fixture.ts';

describePlacement('a member in process', {
  capabilities: {
    requestIds: true,
    progress: true,
    time: 'manual',
    ttlSecondsMin: 1,
    touchedKeysMax: 100,
  },
  open: openMember,
});

async function openMember(): Promise<OpenedPlacement> {
  const timers = new ManualTimers(0);
  const cluster = new TestCluster({ clock: timers.clock, timers });
  cluster.limits = { ...DEFAULT_STATE_MACHINE_LIMITS, touchedKeysMax: 100 };
  await cluster.start(1, [1]);
  const { placement } = (await cluster.leader()).node;
  const advance = async (seconds: number): Promise<void> => {
    await timers.elapse(seconds * 1000);
    // What was proposed before, the ends of leases, is applied before this write.
    await placement.transact(put('/advanced', ''), SOON);
  };
  return { placement, advance, close: () => cluster.close() };
}
