/** Rung R4 for the journal: all hosts lose power at once, with torn writes, while everyone appends. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  atLeast,
  atMost,
  buildDiskTrace,
  type CampaignResult,
  DiskState,
  readDiskTrace,
  told,
  whyNoDiskTrace,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { folderOf, JOURNAL_ROLES, type Role, TestCluster } from '../test-cluster.ts';
import { JournalScene } from './journal-scene.ts';

const SERVING_MS_MAX = 10_000;
const SERVING_LIMIT_MS = 90_000;
const FIRST_CUT_MS = 900;
const ALIVE_MS_MAX = 3000;
const NODES = [1, 2, 3];

export interface JournalPowercutOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly appendsPerSecond: number;
  readonly tell: (progress: string) => void;
}

export async function runJournalPowercut(options: JournalPowercutOptions): Promise<CampaignResult> {
  const impossible = whyNoDiskTrace();
  if (impossible !== null) return { figures: [told('SKIPPED', impossible)], examples: [] };
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-journal-powercut-'));
  const library = buildDiskTrace(folder);
  const dataOf = (role: Role, nodeId: number): string =>
    join(folderOf(folder, role, nodeId), 'data');
  const traceOf = (role: Role, nodeId: number): string => join(folder, `${role}-${nodeId}.trace`);
  const cluster = await TestCluster.open({
    ...{ folder, layout: 'together', roles: JOURNAL_ROLES, hosts: null },
    environmentOf: (role, nodeId) => ({
      LD_PRELOAD: library,
      DISK_TRACE_DIRECTORY: dataOf(role, nodeId),
      DISK_TRACE_FILE: traceOf(role, nodeId),
      UV_USE_IO_URING: '0',
    }),
  });
  const disks = JOURNAL_ROLES.flatMap((role, index) =>
    NODES.map((nodeId) => {
      const random = new SeededRandom(options.seed * 7 + index * NODES.length + nodeId);
      return new ServerDisk(dataOf(role, nodeId), traceOf(role, nodeId), random);
    }),
  );
  const scene = new JournalScene(cluster, options);
  try {
    return await cutRepeatedly({ cluster, disks, scene }, options);
  } finally {
    await scene.close();
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface World {
  readonly cluster: TestCluster;
  readonly disks: readonly ServerDisk[];
  readonly scene: JournalScene;
}

async function cutRepeatedly(
  { cluster, disks, scene }: World,
  { seed, rounds, tell }: JournalPowercutOptions,
): Promise<CampaignResult> {
  const random = new SeededRandom(seed);
  const servingMs: number[] = [];
  const readyMs: number[] = [];
  const cutAll = async (): Promise<void> => {
    await cluster.killAll();
    for (const disk of disks) disk.cut();
    cluster.startAll();
  };
  cluster.startAll();
  // The first cut falls into the first second of the first start: there is no shard yet.
  await pause(FIRST_CUT_MS);
  await cutAll();
  const firstMs = await scene.begin(SERVING_LIMIT_MS);
  tell(`power cut 1 of ${rounds}: shards made and serving after ${Math.round(firstMs)} ms`);
  for (let round = 2; round <= rounds; round += 1) {
    await pause(random.below(ALIVE_MS_MAX));
    await cutAll();
    const processes = JOURNAL_ROLES.flatMap((role) => cluster.processesOf(role));
    const [ready, served] = await Promise.all([
      scene.place.ready(processes, SERVING_LIMIT_MS),
      scene.place.serving(SERVING_LIMIT_MS),
    ]);
    readyMs.push(ready);
    servingMs.push(served);
    tell(
      `power cut ${round} of ${rounds}: processes ready after ${Math.round(ready)} ms, ` +
        `serving after ${Math.round(served)} ms`,
    );
  }
  const { figures, examples } = await scene.verdict();
  const writes = disks.reduce((sum, disk) => sum + disk.writes, 0);
  const longestMs = Math.round(Math.max(...servingMs));
  return {
    figures: [
      told('seed', seed),
      atLeast('power cuts of all three hosts', servingMs.length + 1, rounds),
      told('writes under way when cut', writes),
      told('shards made and serving after the first, ms', Math.round(firstMs)),
      told('processes ready after, longest, ms', Math.round(Math.max(...readyMs))),
      atMost('serving after, longest, ms', longestMs, SERVING_MS_MAX),
      atMost('unasked exits', cluster.crashes, 0),
      ...figures,
    ],
    examples: cluster.crashes > 0 ? [...examples, cluster.lastWords()] : examples,
  };
}

/** The disk of one process. */
class ServerDisk {
  readonly #data: string;
  readonly #trace: string;
  readonly #random: SeededRandom;
  #state: DiskState;
  writes = 0;

  constructor(data: string, trace: string, random: SeededRandom) {
    this.#data = data;
    this.#trace = trace;
    this.#random = random;
    mkdirSync(data, { recursive: true });
    this.#state = new DiskState(data);
  }

  /** Leaves on disk what a loss of power would. The process is dead. */
  cut(): void {
    this.writes += this.#state.cut(readDiskTrace(this.#trace), this.#random).writesUnderWay;
    rmSync(this.#trace, { force: true });
    this.#state = new DiskState(this.#data);
  }
}
