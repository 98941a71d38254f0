/** A million keys: how long does a member take to start, what does it hold, and how does one catch up? */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type CampaignResult, atMost, holds, told } from '@robustmq/campaign';
import type { Placement } from '@robustmq/placement';
import type { MemberProcess } from './member-process.ts';
import { PlacementCluster } from './placement-cluster.ts';

export interface SizeCampaignOptions {
  readonly keys: number;
  readonly valueBytes: number;
}

const RESTART_MS_MAX = 5000;
const RESIDENT_MEGABYTES_MAX = 300;
const SERVING_LIMIT_MS = 60_000;
const CATCH_UP_LIMIT_MS = 300_000;
const PER_TRANSACTION = 500;
const UNDER_WAY = 4;
const OPTIONS = { deadlineMs: 30_000, signal: null };

export async function runSizeCampaign({
  keys,
  valueBytes,
}: SizeCampaignOptions): Promise<CampaignResult> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-size-'));
  const cluster = await PlacementCluster.open({
    ...{ folder, hosts: null, members: 3, sections: [] },
    environmentOf: () => ({}),
  });
  try {
    cluster.startAll();
    await cluster.serving(SERVING_LIMIT_MS);
    const placement = cluster.connect();
    const fill = (first: number, after: number): Promise<void> =>
      putKeys(placement, { first, after, valueBytes });
    await fill(0, keys / 2);
    const late = cluster.member(3);
    await late.process.kill();
    const beganMs = performance.now();
    await fill(keys / 2, keys);
    const putMs = performance.now() - beganMs;
    const full = residentMegabytes(cluster);
    const caughtUp = await catchUpUnderLoad(placement, cluster, late, keys);
    const restarts: number[] = [];
    for (const member of cluster.members) {
      await member.process.kill();
      const startedMs = performance.now();
      member.process.start();
      await readsBack(cluster, member, keyOf(0));
      restarts.push(performance.now() - startedMs);
    }
    const fresh = residentMegabytes(cluster);
    await placement.close();
    return {
      figures: [
        told('keys', keys),
        told('bytes of a value', valueBytes),
        told('keys/s while loading, in transactions of 500', Math.round((keys / 2 / putMs) * 1000)),
        told('a late member caught up after ms, while writes went on', Math.round(caughtUp.ms)),
        holds('writes went on meanwhile', caughtUp.writes > 0),
        atMost(
          'a member serves after ms, longest',
          Math.round(Math.max(...restarts)),
          RESTART_MS_MAX,
        ),
        told('resident memory while loading, MB, largest', Math.round(full)),
        atMost(
          'resident memory after the restart, MB, largest',
          Math.round(fresh),
          RESIDENT_MEGABYTES_MAX,
        ),
        atMost('unasked exits', cluster.crashes, 0),
      ],
      examples: cluster.crashes > 0 ? [cluster.lastWords()] : [],
    };
  } finally {
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface KeySpan {
  readonly first: number;
  readonly after: number;
  readonly valueBytes: number;
}

async function putKeys(placement: Placement, { first, after, valueBytes }: KeySpan): Promise<void> {
  let next = first;
  const value = new Uint8Array(valueBytes).fill(7);
  const run = async (): Promise<void> => {
    while (next < after) {
      const from = next;
      next = Math.min(next + PER_TRANSACTION, after);
      const then = Array.from({ length: next - from }, (_, index) => ({
        ...({ kind: 'put', key: keyOf(from + index), value, lease: null } as const),
      }));
      const requestId = `fill-${from}`;
      await placement.transact({ compare: [], then, otherwise: [], requestId }, OPTIONS);
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, run));
}

async function catchUpUnderLoad(
  placement: Placement,
  cluster: PlacementCluster,
  late: MemberProcess,
  keys: number,
): Promise<{ readonly ms: number; readonly writes: number }> {
  let writes = 0;
  let isOver = false;
  const load = (async (): Promise<void> => {
    while (!isOver) {
      await putKeys(placement, { first: keys + writes, after: keys + writes + 1, valueBytes: 10 });
      writes += 1;
    }
  })();
  const beganMs = performance.now();
  late.process.start();
  await readsBack(cluster, late, keyOf(keys - 1));
  const ms = performance.now() - beganMs;
  isOver = true;
  await load;
  return { ms, writes };
}

/** Waits until the member itself answers with the key. */
async function readsBack(
  cluster: PlacementCluster,
  member: MemberProcess,
  key: string,
): Promise<void> {
  const placement = cluster.connectTo(member);
  const endMs = performance.now() + CATCH_UP_LIMIT_MS;
  try {
    while (performance.now() < endMs) {
      const found = await placement
        .range(
          {
            ...{ range: { first: key, after: `${key}\0` }, limit: 1 },
            ...({ content: 'keys', consistency: 'serializable' } as const),
          },
          { deadlineMs: 1000, signal: null },
        )
        .then(
          ({ keyValues }) => keyValues.length > 0,
          () => false,
        );
      if (found) return;
      await pause(20);
    }
    throw new Error(
      `member ${member.options.nodeId} does not show ${key}\n${member.process.output.slice(-2000)}`,
    );
  } finally {
    await placement.close();
  }
}

function keyOf(number: number): string {
  return `size/${String(number).padStart(10, '0')}`;
}

function residentMegabytes(cluster: PlacementCluster): number {
  const sizes = cluster.members.map(({ process: { pid } }) => {
    if (pid === null) return 0;
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  });
  return Math.max(...sizes) / 1024;
}
