/** Rung R4 for the placement center: all members lose power at once, with torn writes, under load. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type CampaignResult,
  atLeast,
  atMost,
  buildDiskTrace,
  DiskState,
  readDiskTrace,
  told,
  whyNoDiskTrace,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { auditPromises, type Tell } from './campaign-result.ts';
import type { MemberProcess } from './member-process.ts';
import { PlacementCluster } from './placement-cluster.ts';
import { WatchAudit } from './watch-audit.ts';
import { Workload } from './workload.ts';

export interface PowercutOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly tell: Tell;
}

const SERVING_MS_MAX = 10_000;
const SERVING_LIMIT_MS = 60_000;
const FIRST_CUT_MS = 900;
const ALIVE_MS_MAX = 3000;

export async function runPowercutCampaign(options: PowercutOptions): Promise<CampaignResult> {
  const impossible = whyNoDiskTrace();
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-powercut-'));
  const library = buildDiskTrace(folder);
  const cluster = await PlacementCluster.open({
    ...{ folder, hosts: null, members: 3 },
    sections: ['[raft]', 'log_entries_max = 1000', 'log_entries_kept = 200'],
    environmentOf: (nodeId) => ({
      LD_PRELOAD: library,
      DISK_TRACE_DIRECTORY: join(folder, `m${nodeId}`, 'data'),
      DISK_TRACE_FILE: join(folder, `m${nodeId}.trace`),
      UV_USE_IO_URING: '0',
    }),
  });
  const disks = cluster.members.map(
    (member) =>
      new MemberDisk(member, join(folder, `m${member.options.nodeId}.trace`), options.seed),
  );
  try {
    return await cutRepeatedly(cluster, disks, options);
  } finally {
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function cutRepeatedly(
  cluster: PlacementCluster,
  disks: readonly MemberDisk[],
  { seed, rounds, tell }: PowercutOptions,
): Promise<CampaignResult> {
  const random = new SeededRandom(seed);
  const connect = (): ReturnType<PlacementCluster['connect']> => cluster.connect();
  const workload = new Workload({ seed, clients: 8, keys: 10, pauseMs: 10, connect });
  const watcher = connect();
  const watch = new WatchAudit(watcher);
  const servingMs: number[] = [];
  const cutAll = async (): Promise<void> => {
    await cluster.killAll();
    for (const disk of disks) disk.cut();
  };
  workload.start();
  // The first cut falls into the first second of the first start.
  cluster.startAll();
  await pause(FIRST_CUT_MS);
  for (let round = 1; round <= rounds; round += 1) {
    await cutAll();
    cluster.startAll();
    servingMs.push(await cluster.serving(SERVING_LIMIT_MS));
    tell(`power cut ${round} of ${rounds}: serving after ${Math.round(servingMs.at(-1) ?? 0)} ms`);
    if (round < rounds) await pause(random.below(ALIVE_MS_MAX));
  }
  await workload.end();
  const audit = await auditPromises(cluster, workload, watch);
  await watcher.close();
  return {
    figures: [
      told('seed', seed),
      atLeast('power cuts of all three members', servingMs.length, rounds),
      told(
        'writes under way when cut',
        disks.reduce((sum, disk) => sum + disk.writes, 0),
      ),
      atMost('serving after ms, longest', Math.round(Math.max(...servingMs)), SERVING_MS_MAX),
      ...audit.figures,
    ],
    examples: audit.examples,
  };
}

/** The disk of one member. */
class MemberDisk {
  readonly #data: string;
  readonly #trace: string;
  readonly #random: SeededRandom;
  #state: DiskState;
  writes = 0;

  constructor(member: MemberProcess, trace: string, seed: number) {
    this.#data = member.dataFolder;
    this.#trace = trace;
    this.#random = new SeededRandom(seed * 7 + member.options.nodeId);
    mkdirSync(this.#data, { recursive: true });
    this.#state = new DiskState(this.#data);
  }

  /** Leaves on disk what a loss of power would. The process is dead. */
  cut(): void {
    this.writes += this.#state.cut(readDiskTrace(this.#trace), this.#random).writesUnderWay;
    rmSync(this.#trace, { force: true });
    this.#state = new DiskState(this.#data);
  }
}
