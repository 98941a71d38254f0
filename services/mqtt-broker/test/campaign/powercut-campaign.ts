/**
 * Takes the power away again and again, the first time within the first second of the first start:
 * what was not flushed is gone or torn. Everything acknowledged must be there afterwards.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CampaignResult,
  atLeast,
  atMost,
  buildDiskTrace,
  DiskState,
  holds,
  readDiskTrace,
  told,
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

interface Losses {
  readonly servingMs: number[];
  writes: number;
  names: number;
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
    const losses = await cutRepeatedly(machine, load, options);
    const settled = await load.settle(SETTLE_LIMIT_MS);
    await load.checkRetained(load.ledger.retainedFloors());
    return {
      figures: [
        told('seed', options.seed),
        atLeast('power cuts', options.rounds, 20),
        atLeast('starts', losses.servingMs.length, options.rounds),
        atMost('unasked exits', machine.broker.crashes, 0),
        told('writes under way when cut', losses.writes),
        told('name changes under way when cut', losses.names),
        ...ledgerFigures(load.ledger.figures()),
        holds('drained before the deadline', settled),
        atMost(
          'serving after ms, longest',
          Math.round(Math.max(...losses.servingMs)),
          SERVING_MS_MAX,
        ),
      ],
      examples: load.ledger.examples,
    };
  } finally {
    await load.end();
    await machine.broker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function cutRepeatedly(
  machine: Machine,
  load: DurableLoad,
  options: PowercutOptions,
): Promise<Losses> {
  const losses: Losses = { servingMs: [], writes: 0, names: 0 };
  const random = new SeededRandom(options.seed ^ 0x707);
  const loaded = load.start();
  await machine.dieWithin(FIRST_CUT_MS, losses);
  losses.servingMs.push(await machine.start());
  await loaded;
  for (let round = 2; round <= options.rounds; round += 1) {
    await delay(random.below(options.aliveMsMax));
    if (round % 3 === 0) await load.addWill(`cut-${round}`, 'published');
    const floors = load.ledger.retainedFloors();
    await machine.cutPower(losses);
    // Now and then the power fails again while the broker recovers.
    if (random.below(4) === 0) await machine.dieWithin(random.below(500), losses);
    losses.servingMs.push(await machine.start());
    await load.checkRetained(floors);
  }
  return losses;
}

/** A broker and its disk. */
class Machine {
  readonly broker: BrokerProcess;
  readonly #data: string;
  readonly #trace: string;
  readonly #random: SeededRandom;
  #disk: DiskState;

  constructor(folder: string, { seed, acknowledge }: PowercutOptions) {
    this.#data = join(folder, 'data');
    this.#trace = join(folder, 'trace');
    this.#random = new SeededRandom(seed ^ 0xcab1e);
    mkdirSync(this.#data);
    this.#disk = new DiskState(this.#data);
    this.broker = new BrokerProcess({
      folder,
      dataFolder: this.#data,
      sections: { storage: ['segment_bytes_max = "1 MiB"', `acknowledge = "${acknowledge}"`] },
      nodeOptions: [],
      environment: {
        LD_PRELOAD: buildDiskTrace(folder),
        DISK_TRACE_DIRECTORY: this.#data,
        DISK_TRACE_FILE: this.#trace,
        UV_USE_IO_URING: '0',
      },
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
  async dieWithin(afterMs: number, losses: Losses): Promise<void> {
    const start = this.broker.start().catch(() => 0);
    await delay(afterMs);
    await this.cutPower(losses);
    await start;
  }

  async cutPower(losses: Losses): Promise<void> {
    await this.broker.kill();
    const { writesUnderWay, namesUnderWay } = this.#disk.cut(
      readDiskTrace(this.#trace),
      this.#random,
    );
    losses.writes += writesUnderWay;
    losses.names += namesUnderWay;
    rmSync(this.#trace, { force: true });
    this.#disk = new DiskState(this.#data);
  }
}
