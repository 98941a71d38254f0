/**
 * Kills the broker again and again under QoS 1 and QoS 2 load, some of the times while it is still
 * starting, and looks whether everything that was acknowledged is there in the end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  atLeast,
  atMost,
  type CampaignResult,
  DurableLoad,
  ledgerFigures,
  told,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { BrokerProcess } from './broker-process.ts';

const SETTLE_LIMIT_MS = 60_000;
const RESTART_MS_MAX = 10_000;
const GOODBYE_MS = 300;

/** How often and how hard. */
export interface CrashOptions {
  readonly seed: number;
  readonly kills: number;
  readonly messagesPerSecond: number;
  /** A kill comes at most this long after the broker is ready. */
  readonly aliveMsMax: number;
}

export async function runCrashCampaign(options: CrashOptions): Promise<CampaignResult> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-crash-'));
  const broker = new BrokerProcess({
    folder,
    dataFolder: join(folder, 'data'),
    // Small segments, so that rolling, indexing and trimming happen between the kills, too.
    sections: { storage: ['segment_bytes_max = "1 MiB"'] },
    nodeOptions: [],
    environment: {},
  });
  const load = new DurableLoad({ ...options, group: 'with', place: broker, fillerBytesMax: 400 });
  try {
    const restarts = [await broker.start()];
    await load.start();
    const killsAtStart = await killRepeatedly(broker, load, { options, restarts });
    const settled = await load.settle(SETTLE_LIMIT_MS);
    await load.checkRetained(load.ledger.retainedFloors());
    const figures = load.ledger.figures();
    return {
      figures: [
        told('seed', options.seed),
        atLeast('kills', options.kills, 20),
        told('of them while starting', killsAtStart),
        atMost('unasked exits', broker.crashes, 0),
        ...ledgerFigures(figures),
        told('drained before the deadline', settled ? 'yes' : 'no'),
        atMost('restart ms, longest', Math.round(Math.max(...restarts)), RESTART_MS_MAX),
        told('gap of a publisher ms, longest', Math.round(load.gapMsMax)),
      ],
      examples: load.ledger.examples,
    };
  } finally {
    await load.end();
    await broker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns how many kills hit a broker that was not ready yet */
async function killRepeatedly(
  broker: BrokerProcess,
  load: DurableLoad,
  { options, restarts }: { readonly options: CrashOptions; readonly restarts: number[] },
): Promise<number> {
  const random = new SeededRandom(options.seed ^ 0x5eed);
  let atStart = 0;
  for (let kill = 1; kill <= options.kills; kill += 1) {
    await delay(random.below(options.aliveMsMax));
    if (kill % 3 === 0) await load.addWill(`killed-${kill}`, 'published');
    if (kill % 7 === 0) {
      await (await load.addWill(`polite-${kill}`, 'discarded'))();
      // DISCONNECT has no answer: what is killed in the same moment may not have heard it.
      await delay(GOODBYE_MS);
    }
    if (kill % 7 === 3) await (await load.addWill(`rude-${kill}`, 'published'))();
    const floors = load.ledger.retainedFloors();
    await broker.kill();
    if (random.below(4) === 0) {
      atStart += 1;
      await killWhileStarting(broker, random.below(500));
    }
    restarts.push(await broker.start());
    await load.checkRetained(floors);
  }
  return atStart;
}

async function killWhileStarting(broker: BrokerProcess, afterMs: number): Promise<void> {
  const start = broker.start().catch(() => 0);
  await delay(afterMs);
  await broker.kill();
  await start;
}
