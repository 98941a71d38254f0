/**
 * Rung R4, second half: one flipped bit in each kind of file of one member. The member refuses to
 * start with a plain message, or starts and holds what the others hold; nothing wrong is served.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type CampaignResult, atMost, type Figure, told } from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import type { Placement, RangeRequest } from '@robustmq/placement';
import type { Tell } from './campaign-result.ts';
import type { MemberProcess } from './member-process.ts';
import { PlacementCluster } from './placement-cluster.ts';
import { Workload } from './workload.ts';

export interface BitFlipOptions {
  readonly seed: number;
  readonly flipsPerKind: number;
  readonly tell: Tell;
}

type Verdict = 'refused' | 'equal' | 'different' | 'silent';

const SERVING_LIMIT_MS = 60_000;
const LOAD_MS = 6000;
const SETTLE_LIMIT_MS = 20_000;
/** Files that hold no data: who has the directory, and LevelDB's own diary. */
const NO_DATA = new Set(['LOCK', 'LOG', 'LOG.old', 'robustctl.json']);

export async function runBitFlipCampaign({
  seed,
  flipsPerKind,
  tell,
}: BitFlipOptions): Promise<CampaignResult> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-bitflip-'));
  const cluster = await PlacementCluster.open({
    ...{ folder, hosts: null, members: 3 },
    sections: ['[raft]', 'log_entries_max = 1000', 'log_entries_kept = 200'],
    environmentOf: () => ({}),
  });
  const random = new SeededRandom(seed);
  const figures: Figure[] = [told('seed', seed)];
  const examples: string[] = [];
  try {
    await fill(cluster, seed);
    const member = cluster.member(3);
    await member.process.end();
    const pristine = join(folder, 'pristine');
    cpSync(member.dataFolder, pristine, { recursive: true });
    const truth = await contentOf(cluster.connect(), 'linearizable');
    for (const [kind, files] of kindsIn(pristine)) {
      tell(kind);
      const counts = new Map<Verdict, number>();
      for (let flip = 0; flip < flipsPerKind; flip += 1) {
        rmSync(member.dataFolder, { recursive: true, force: true });
        cpSync(pristine, member.dataFolder, { recursive: true });
        const place = flipIn(member.dataFolder, files[random.below(files.length)] ?? '', random);
        const verdict = await verdictOn(cluster, member, truth);
        counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
        if (verdict === 'different' || verdict === 'silent') {
          examples.push(`${place}: ${verdict}\n${member.process.output.slice(-1500)}`);
        }
        await member.process.kill();
      }
      const bad = (counts.get('different') ?? 0) + (counts.get('silent') ?? 0);
      const text = [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
      figures.push(told(kind, text), atMost('  of them wrong', bad, 0));
    }
    return { figures, examples };
  } finally {
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Enough for snapshots, tables and logs on every member. */
async function fill(cluster: PlacementCluster, seed: number): Promise<void> {
  cluster.startAll();
  await cluster.serving(SERVING_LIMIT_MS);
  const connect = (): Placement => cluster.connect();
  const workload = new Workload({ seed, clients: 8, keys: 10, pauseMs: 0, connect });
  workload.start();
  await pause(LOAD_MS / 2);
  // What a log holds becomes a table at the next start.
  await cluster.member(3).process.end();
  cluster.member(3).process.start();
  await pause(LOAD_MS / 2);
  await workload.end();
}

/** Files by kind, as paths below the folder; numbers in names do not make a kind. */
function kindsIn(folder: string): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map<string, string[]>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (!entry.isFile() || NO_DATA.has(entry.name)) continue;
    if (readFileSync(join(folder, path)).length === 0) continue;
    const kind = `${relative(folder, entry.parentPath)}/${entry.name}`.replaceAll(/\d+/g, 'N');
    kinds.set(kind, [...(kinds.get(kind) ?? []), path]);
  }
  return kinds;
}

function flipIn(folder: string, file: string, random: SeededRandom): string {
  const bytes = readFileSync(join(folder, file));
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  writeFileSync(join(folder, file), bytes);
  return `${basename(file)}, byte ${at} of ${bytes.length}`;
}

async function verdictOn(
  cluster: PlacementCluster,
  member: MemberProcess,
  truth: string,
): Promise<Verdict> {
  member.process.start();
  const endMs = performance.now() + SETTLE_LIMIT_MS;
  let verdict: Verdict = 'silent';
  while (performance.now() < endMs) {
    if (!member.process.isRunning)
      return member.process.output.trim() === '' ? 'silent' : 'refused';
    const content = await contentOf(cluster.connectTo(member), 'serializable').catch(() => null);
    if (content === truth) return 'equal';
    // It may still be catching up: what counts is where it ends.
    if (content !== null) verdict = 'different';
    await pause(200);
  }
  return verdict;
}

/** Everything under the campaign's keys, as one text. */
async function contentOf(
  placement: Placement,
  consistency: RangeRequest['consistency'],
): Promise<string> {
  const lines: string[] = [];
  let first = 'ledger/';
  try {
    for (;;) {
      const reply = await placement.range(
        { range: { first, after: 's' }, limit: 1000, content: 'whole', consistency },
        { deadlineMs: 3000, signal: null },
      );
      for (const { key, value, modRevision } of reply.keyValues) {
        lines.push(`${key} ${modRevision} ${new TextDecoder().decode(value)}`);
      }
      const last = reply.keyValues.at(-1)?.key;
      if (!reply.more || last === undefined) return lines.join('\n');
      first = `${last}\0`;
    }
  } finally {
    await placement.close();
  }
}
