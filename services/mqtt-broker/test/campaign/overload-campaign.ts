/** Rung R7 for one broker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CampaignResult,
  type OverloadOptions,
  type OverloadTarget,
  runOverload,
} from '@robustmq/campaign';
import { BrokerProcess } from './broker-process.ts';

export function runOverloadCampaign(options: OverloadOptions): Promise<CampaignResult> {
  return runOverload(withBroker, options);
}

async function withBroker<Result>(
  nodeOptions: readonly string[],
  scene: (target: OverloadTarget) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-overload-'));
  const broker = new BrokerProcess({
    ...{ folder, dataFolder: join(folder, 'data'), sections: {}, nodeOptions, environment: {} },
  });
  try {
    await broker.start();
    return await scene({
      ports: [broker.port ?? 0],
      get crashes() {
        return broker.crashes;
      },
      get residentBytes() {
        return broker.residentBytes;
      },
    });
  } finally {
    await broker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
