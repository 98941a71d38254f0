/**
 * Fills the broker's disk, a tmpfs of 64 MB: durable messages are refused with 0x97 or not
 * acknowledged, everything else goes on, and once there is room they are taken again.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CampaignResult,
  atLeast,
  atMost,
  type Figure,
  holds,
  told,
  DurableLoad,
  LatencyProbe,
  ledgerFigures,
} from '@robustmq/campaign';
import { connect } from '@robustmq/mqtt-client';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { BrokerProcess } from './broker-process.ts';

const DISK_MEGABYTES = 64;
const FILLER_BYTES = 24 * 1024 * 1024;
const FULL_LIMIT_MS = 90_000;
const FULL_SPAN_MS = 5000;
const ROOM_MS_MAX = 10_000;
const SETTLE_LIMIT_MS = 60_000;
const POLL_MS = 20;

/** How hard. */
export interface FullDiskOptions {
  readonly seed: number;
  readonly messagesPerSecond: number;
  readonly fillerBytesMax: number;
}

/** Why a disk of its own cannot be had here; null when it can. */
export function whyNoSmallDisk(): string | null {
  if (process.platform !== 'linux') return 'a tmpfs is for Linux';
  if (process.getuid?.() !== 0) return 'mounting a tmpfs needs root';
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (mounted.status === 0) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
  return mounted.status === 0 ? null : 'mounting a tmpfs is not allowed here';
}

export async function runFullDiskCampaign(options: FullDiskOptions): Promise<CampaignResult> {
  const impossible = whyNoSmallDisk();
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-fulldisk-'));
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const size = `size=${DISK_MEGABYTES}m`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', disk]);
  const broker = new BrokerProcess({
    ...{ folder, dataFolder: join(disk, 'data'), sections: {}, nodeOptions: [], environment: {} },
  });
  const load = new DurableLoad({ ...options, group: 'with', place: broker });
  try {
    await broker.start();
    return await fillAndFree({ broker, load, disk });
  } finally {
    await load.end();
    await broker.kill();
    execFileSync('umount', [disk]);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Scene {
  readonly broker: BrokerProcess;
  readonly load: DurableLoad;
  readonly disk: string;
}

async function fillAndFree(scene: Scene): Promise<CampaignResult> {
  const { broker, load, disk } = scene;
  const filler = join(disk, 'filler');
  writeFileSync(filler, new Uint8Array(FILLER_BYTES));
  await load.start();
  const figures: Figure[] = [];

  const firstFull = await untilFull(load);
  figures.push(holds('full for the first time: refused', firstFull));
  figures.push(...(await whileFull(scene)));
  rmSync(filler);
  figures.push(
    atMost('room by a removed file: taken after ms', await takenAfterMs(load), ROOM_MS_MAX),
  );

  figures.push(holds('full for the second time: refused', await untilFull(load)));
  await load.bringOffline();
  await untilDelivered(load);
  figures.push(
    atMost('room by drained readers: taken after ms', await takenAfterMs(load), ROOM_MS_MAX),
  );
  await load.sendOfflineAway();

  figures.push(holds('full for the third time: refused', await untilFull(load)));
  const crashes = broker.crashes;
  await broker.kill();
  const startMs = await broker.start().catch((error: unknown) => {
    console.error(String(error));
    return Number.POSITIVE_INFINITY;
  });
  figures.push(atMost('start on a full disk ms', Math.round(startMs), ROOM_MS_MAX));
  const settled = await load.settle(SETTLE_LIMIT_MS);
  await load.checkRetained(load.ledger.retainedFloors());
  const others = [...load.refusals].filter(([code]) => code !== ReasonCode.quotaExceeded);
  figures.push(
    atMost('unasked exits', crashes, 0),
    atLeast('refused with 0x97', load.refusals.get(ReasonCode.quotaExceeded) ?? 0, 1),
    atMost('refused with another code', others.length, 0),
    ...ledgerFigures(load.ledger.figures()),
    holds('drained before the deadline', settled),
  );
  return { figures, examples: load.ledger.examples };
}

/** What must go on while nothing more can be stored. */
async function whileFull({ broker, load }: Scene): Promise<readonly Figure[]> {
  const port = broker.port ?? 0;
  const probe = await LatencyProbe.start([port], { name: 'q0', qos: 0, messagesPerSecond: 200 });
  const client = await connect({ port, timeoutMs: 5000 });
  const granted = await client.subscribe([{ filter: 'campaign/+/1', qos: 0 }]);
  const floors = load.ledger.retainedFloors();
  await delay(FULL_SPAN_MS);
  const readable = await load.checkRetained(floors);
  client.destroy();
  const span = probe.span();
  probe.end();
  return [
    atMost('while full: QoS 0 messages lost', span.sent - span.received, 5),
    told('while full: QoS 0 p99 ms', span.p99Ms),
    holds('while full: clients subscribe', granted[0] === 0),
    holds('while full: retained messages are read', readable),
    holds('while full: acknowledged messages are delivered', load.isLiveDelivered),
  ];
}

/** Waits until publishers are refused. */
async function untilFull(load: DurableLoad): Promise<boolean> {
  const before = load.refusals.get(ReasonCode.quotaExceeded) ?? 0;
  const deadlineMs = performance.now() + FULL_LIMIT_MS;
  while (performance.now() < deadlineMs) {
    if ((load.refusals.get(ReasonCode.quotaExceeded) ?? 0) > before) return true;
    await delay(POLL_MS);
  }
  return false;
}

async function untilDelivered(load: DurableLoad): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_LIMIT_MS;
  while (!load.ledger.isSettled && performance.now() < deadlineMs) await delay(POLL_MS);
}

/** Waits until acknowledgements come again. */
async function takenAfterMs(load: DurableLoad): Promise<number> {
  const startedAtMs = performance.now();
  const before = load.ledger.acknowledged;
  while (load.ledger.acknowledged === before) {
    if (performance.now() - startedAtMs > 2 * ROOM_MS_MAX) break;
    await delay(POLL_MS);
  }
  return Math.round(performance.now() - startedAtMs);
}
