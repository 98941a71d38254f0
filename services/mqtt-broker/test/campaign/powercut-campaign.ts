/**
 * Takes the power away again and again, the first time within the first second of the first start:
 * what was not flushed is gone or torn. Everything acknowledged must be there afterwards.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CampaignResult,
  atLeast,
  atMost,
  buildDiskTrace,
  holds,
  told,
  TracedDisk,
  tracedBy,
  whyNoDiskTrace,
  DurableLoad,
  ledgerFigures,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { connect } from '@robustmq/mqtt-client';
import { BrokerProcess } from './broker-process.ts';

const FIRST_CUT_MS = 900;
const SERVING_MS_MAX = 10_000;
const SETTLE_LIMIT_MS = 60_000;

/** How often. */
export interface PowercutOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly messagesPerSecond: number;
  readonly aliveMsMax: number;
  /** `memory` is the mistake that this campaign must be able to see. */
  readonly acknowledge: 'sync' | 'memory';
}

export async function runPowercutCampaign(options: PowercutOptions): Promise<CampaignResult> {
  const impossible = whyNoDiskTrace();
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-powercut-'));
  const machine = new Machine(folder, options);
  const load = new DurableLoad({
    ...options,
    group: 'with',
    place: machine.broker,
    fillerBytesMax: 400,
  });
  try {
    const servingMs = await cutRepeatedly(machine, load, options);
    const settled = await load.settle(SETTLE_LIMIT_MS);
    await load.checkRetained(load.ledger.retainedFloors());
    return {
      figures: [
        told('seed', options.seed),
        atLeast('power cuts', options.rounds, 20),
        atLeast('starts', servingMs.length, options.rounds),
        atMost('unasked exits', machine.broker.crashes, 0),
        told('writes under way when cut', machine.disk.writes),
        told('name changes under way when cut', machine.disk.names),
        ...ledgerFigures(load.ledger.figures()),
        holds('drained before the deadline', settled),
        atMost('serving after ms, longest', Math.round(Math.max(...servingMs)), SERVING_MS_MAX),
      ],
      examples: load.ledger.examples,
    };
  } finally {
    await load.end();
    await machine.broker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns how long each start took, in milliseconds */
async function cutRepeatedly(
  machine: Machine,
  load: DurableLoad,
  options: PowercutOptions,
): Promise<readonly number[]> {
  const servingMs: number[] = [];
  const random = new SeededRandom(options.seed ^ 0x707);
  const loaded = load.start();
  await machine.dieWithin(FIRST_CUT_MS);
  servingMs.push(await machine.start());
  await loaded;
  for (let round = 2; round <= options.rounds; round += 1) {
    await delay(random.below(options.aliveMsMax));
    if (round % 3 === 0) await load.addWill(`cut-${round}`, 'published');
    const floors = load.ledger.retainedFloors();
    await machine.cutPower();
    // Now and then the power fails again while the broker recovers.
    if (random.below(4) === 0) await machine.dieWithin(random.below(500));
    servingMs.push(await machine.start());
    await load.checkRetained(floors);
  }
  return servingMs;
}

/** A broker and its disk. */
class Machine {
  readonly broker: BrokerProcess;
  readonly disk: TracedDisk;

  constructor(folder: string, { seed, acknowledge }: PowercutOptions) {
    const place = { directory: join(folder, 'data'), trace: join(folder, 'trace') };
    const random = new SeededRandom(seed ^ 0xcab1e);
    this.disk = new TracedDisk({ ...place, random, mayBeUnused: false });
    this.broker = new BrokerProcess({
      folder,
      dataFolder: place.directory,
      sections: { storage: ['segment_bytes_max = "1 MiB"', `acknowledge = "${acknowledge}"`] },
      nodeOptions: [],
      environment: tracedBy(buildDiskTrace(folder), place),
    });
  }

  /** @returns milliseconds until it has acknowledged a message */
  async start(): Promise<number> {
    const startedAtMs = performance.now();
    await this.broker.start();
    const client = await connect({ port: this.broker.port ?? 0, timeoutMs: SERVING_MS_MAX });
    await client.publish({ topic: 'probe', payload: new Uint8Array(1), qos: 1 });
    client.destroy();
    return performance.now() - startedAtMs;
  }

  /** Starts and loses power `afterMs` later, ready or not. */
  async dieWithin(afterMs: number): Promise<void> {
    const start = this.broker.start().catch(() => 0);
    await delay(afterMs);
    await this.cutPower();
    await start;
  }

  async cutPower(): Promise<void> {
    await this.broker.kill();
    this.disk.cut();
  }
}
