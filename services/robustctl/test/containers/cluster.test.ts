/** The image, nine times, behind HAProxy: what was acknowledged arrives, whatever is cut off or killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { allHold, type BrokerPlace, DurableLoad, ledgerFigures, tableOf } from '@robustmq/campaign';
import { expect, test } from 'vitest';
import { buildImage, ContainerCluster, sweep, whyNoContainers } from './container-cluster.ts';
import { LoadBalancer, whyNoLoadBalancer } from './load-balancer.ts';

const SETTLE_LIMIT_MS = 120_000;
const FAULT_MS = 4_000;
const CALM_MS = 4_000;
const LIMIT_MS = 600_000;

const impossible = whyNoContainers() ?? whyNoLoadBalancer();
if (impossible !== null) console.warn(`WARNING: ${impossible}: the test of the image is SKIPPED`);

test.skipIf(impossible !== null)(
  'nine containers behind a load balancer keep what they acknowledged',
  async () => {
    sweep();
    buildImage();
    const folder = mkdtempSync(join(tmpdir(), 'robustmq-containers-'));
    const cluster = await ContainerCluster.open();
    const brokers = ['broker-1', 'broker-2', 'broker-3'];
    const targets = brokers.map((name) => `${cluster.addressOf(name)}:1883`);
    const balancer = await LoadBalancer.start(folder, targets);
    const place: BrokerPlace = {
      patienceMs: 2000,
      addressFor: () => ({ host: '127.0.0.1', port: balancer.port }),
    };
    const load = new DurableLoad({
      place,
      seed: 1,
      messagesPerSecond: 100,
      fillerBytesMax: 200,
      group: 'with',
    });
    try {
      await load.start();
      await pause(CALM_MS);
      for (const name of ['broker-1', 'journal-2', 'placement-3']) {
        await cluster.cutOff(name);
        await pause(FAULT_MS);
        await cluster.join(name);
        await pause(CALM_MS);
      }
      for (const name of ['broker-2', 'journal-1', 'placement-1']) {
        await cluster.killAndStart(name, FAULT_MS);
        await pause(CALM_MS);
      }
      await cluster.hang('broker-3', FAULT_MS);
      const settled = await load.settle(SETTLE_LIMIT_MS);
      const figures = ledgerFigures(load.ledger.figures());
      const words = load.ledger.examples.join('\n');
      const why = `${tableOf('containers', figures)}\n${words}\n${settled ? '' : cluster.lastWords()}`;
      expect(settled && allHold(figures), why).toBe(true);
    } finally {
      await load.end();
      await balancer.stop();
      await cluster.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  LIMIT_MS,
);
