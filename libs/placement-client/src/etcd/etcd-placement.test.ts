import { describePlacement } from '@robustmq/placement-conformance';
import { afterAll, beforeAll, describe } from 'vitest';
import {
  connectTo,
  isEtcdInstalled,
  openEtcd,
  revokeLeases,
  type TestEtcd,
} from './etcd.fixture.ts';

describe.skipIf(!isEtcdInstalled())('on etcd', () => {
  let etcd: TestEtcd;
  beforeAll(async () => {
    etcd = await openEtcd();
  });
  afterAll(() => etcd.close());

  describePlacement('etcd', {
    capabilities: { requestIds: true, progress: false, time: 'real', ttlSecondsMin: 2 },
    open: async () => {
      const placement = await connectTo(etcd.host);
      const advance = (seconds: number): Promise<void> =>
        new Promise((resolve) => {
          setTimeout(resolve, seconds * 1000);
        });
      const close = async (): Promise<void> => {
        await placement.close();
        await revokeLeases(etcd);
      };
      return { placement, advance, close };
    },
  });
});
