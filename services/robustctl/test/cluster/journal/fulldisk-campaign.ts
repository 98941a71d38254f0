/**
 * Rung R5 for the journal: every journal server has a small disk of its own. First one of them is filled,
 * then all. Appends are refused or wait; reads go on; once there is room they are taken again.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { atLeast, atMost, type CampaignResult, type Figure, told } from '@robustmq/campaign';
import { dataOf, JOURNAL_ROLES, NODES, TestCluster } from '../test-cluster.ts';
import { JournalScene } from './journal-scene.ts';

const DISK_MEGABYTES = 256;
const MEBIBYTE = 2 ** 20;
/** What a full disk has left for the load to fill. */
const LEFT_BYTES = 12 * MEBIBYTE;
const SERVING_LIMIT_MS = 90_000;
const FULL_LIMIT_MS = 90_000;
const ROOM_MS_MAX = 10_000;
const POLL_MS = 20;

export interface JournalFullDiskOptions {
  readonly seed: number;
  readonly appendsPerSecond: number;
  /** How long each of the two lasts. */
  readonly fullMs: number;
  readonly tell: (progress: string) => void;
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

export async function runJournalFullDisk(options: JournalFullDiskOptions): Promise<CampaignResult> {
  const impossible = whyNoSmallDisk();
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-journal-fulldisk-'));
  const disks = NODES.map((nodeId) => dataOf(folder, 'journal-server', nodeId));
  for (const disk of disks) {
    mkdirSync(disk, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MEGABYTES}m`, 'tmpfs', disk]);
  }
  const cluster = await TestCluster.open({
    ...{ folder, layout: 'together', roles: JOURNAL_ROLES, hosts: null },
    sections: {
      'journal-server': ['disk_free_bytes_min = "4 MiB"', 'segment_bytes_max = "1 MiB"'],
    },
    environmentOf: () => ({}),
  });
  const scene = new JournalScene(cluster, options);
  try {
    return await fillAndFree({ cluster, disks, scene }, options);
  } finally {
    await scene.close();
    await cluster.killAll();
    for (const disk of disks) spawnSync('umount', [disk]);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface World {
  readonly cluster: TestCluster;
  readonly disks: readonly string[];
  readonly scene: JournalScene;
}

async function fillAndFree(
  { cluster, disks, scene }: World,
  options: JournalFullDiskOptions,
): Promise<CampaignResult> {
  const { seed, fullMs, tell } = options;
  cluster.startAll();
  tell(`serving after ${Math.round(await scene.begin(SERVING_LIMIT_MS))} ms`);
  const figures: Figure[] = [];
  for (const [name, full] of [
    ['one', disks.slice(0, 1)],
    ['all', disks],
  ] as const) {
    for (const disk of full) fill(disk);
    await untilFull(full);
    tell(`${name} full`);
    const refused = scene.messages.refused;
    const before = scene.messages.acknowledged;
    await pause(fullMs);
    figures.push(
      told(`${name} full: acknowledged meanwhile`, scene.messages.acknowledged - before),
      told(`${name} full: refused meanwhile`, scene.messages.refused - refused),
    );
    if (name === 'all') {
      figures.push(atLeast('all full: refused', scene.messages.refused - refused, 1));
    }
    for (const disk of full) rmSync(join(disk, 'filler'));
    const takenMs = await takenAfterMs(scene);
    tell(`${name}: taken again after ${takenMs} ms`);
    figures.push(atMost(`${name}: taken again after room, ms`, takenMs, ROOM_MS_MAX));
  }
  const { figures: judged, examples } = await scene.verdict();
  return {
    figures: [
      told('seed', seed),
      atMost('unasked exits', cluster.crashes, 0),
      ...figures,
      ...judged,
    ],
    examples: cluster.crashes > 0 ? [...examples, cluster.lastWords()] : examples,
  };
}

function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

/** A file that takes all but a little; appends take the rest. */
function fill(disk: string): void {
  const bytes = Math.max(freeBytes(disk) - LEFT_BYTES, 0);
  writeFileSync(join(disk, 'filler'), new Uint8Array(bytes));
}

async function untilFull(disks: readonly string[]): Promise<void> {
  const endMs = performance.now() + FULL_LIMIT_MS;
  while (disks.some((disk) => freeBytes(disk) > 5 * MEBIBYTE) && performance.now() < endMs) {
    await pause(POLL_MS);
  }
}

/** Waits until every producer is acknowledged again. */
async function takenAfterMs({ messages }: JournalScene): Promise<number> {
  const beganMs = performance.now();
  const waiting = new Set(messages.producers);
  while (waiting.size > 0 && performance.now() - beganMs < 3 * ROOM_MS_MAX) {
    for (const producer of waiting) if (producer.lastAtMs > beganMs) waiting.delete(producer);
    await pause(POLL_MS);
  }
  return Math.round(performance.now() - beganMs);
}
