/**
 * Rung R4, second half, for the whole cluster: one flipped bit in each kind of file of one host, which is
 * started again beside the others while everybody publishes. Its process mends the damage from the others,
 * or refuses to start with a plain message; nothing is served wrongly, nothing is lost.
 */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  atLeast,
  atMost,
  type CampaignResult,
  DurableLoad,
  type Figure,
  holds,
  ledgerFigures,
  type ServiceProcess,
  told,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { dataOf, type Role, TestCluster } from './test-cluster.ts';

const DAMAGED_NODE = 3;
/** Long enough for tables and complete segments. */
const LOAD_MS = 8000;
const SERVING_LIMIT_MS = 90_000;
const READY_LIMIT_MS = 30_000;
const SETTLE_LIMIT_MS = 120_000;
const POLL_MS = 50;
const KEEPERS: readonly Role[] = ['placement-center', 'journal-server'];
/** Files that hold no data: who has the directory, and LevelDB's own diary. */
const NO_DATA = new Set(['LOCK', 'LOG', 'LOG.old', 'robustctl.json', 'robustctl.pid']);

export interface ClusterBitFlipOptions {
  readonly seed: number;
  readonly flipsPerKind: number;
  readonly messagesPerSecond: number;
  readonly tell: (progress: string) => void;
}

type Verdict = 'started' | 'refused' | 'unclear' | 'silent';

export async function runClusterBitFlips(options: ClusterBitFlipOptions): Promise<CampaignResult> {
  const { seed, messagesPerSecond, tell } = options;
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-cluster-bitflip-'));
  const cluster = await TestCluster.open({
    ...{ folder, layout: 'together', hosts: null, environmentOf: () => ({}) },
    sections: {
      'placement-center': ['[raft]', 'log_entries_max = 1000', 'log_entries_kept = 200'],
      'journal-server': ['segment_bytes_max = "1 MiB"'],
    },
  });
  const load = new DurableLoad({
    ...{ place: cluster, seed, messagesPerSecond, group: 'with', fillerBytesMax: 1500 },
  });
  try {
    cluster.startAll();
    tell(`serving after ${Math.round(await cluster.serving(SERVING_LIMIT_MS))} ms`);
    await load.start();
    await pause(LOAD_MS);
    const figures: Figure[] = [told('seed', seed)];
    const examples: string[] = [];
    let kinds = 0;
    for (const role of KEEPERS) {
      const flips = new RoleFlips({ cluster, folder, role, options, examples });
      figures.push(...(await flips.run()));
      kinds += flips.kinds;
    }
    figures.push(atLeast('kinds of files', kinds, 5));
    const settled = await load.settle(SETTLE_LIMIT_MS);
    figures.push(...ledgerFigures(load.ledger.figures()));
    figures.push(holds('drained before the deadline', settled));
    return { figures, examples: [...examples, ...load.ledger.examples] };
  } finally {
    await load.end();
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The files of one process. */
class RoleFlips {
  readonly #process: ServiceProcess;
  readonly #data: string;
  readonly #kept: string;
  readonly #role: Role;
  readonly #options: ClusterBitFlipOptions;
  readonly #examples: string[];
  readonly #random: SeededRandom;
  kinds = 0;

  constructor(parts: {
    readonly cluster: TestCluster;
    readonly folder: string;
    readonly role: Role;
    readonly options: ClusterBitFlipOptions;
    readonly examples: string[];
  }) {
    const { cluster, folder, role, options } = parts;
    this.#process = cluster.processesOf(role)[DAMAGED_NODE - 1] as ServiceProcess;
    this.#data = dataOf(folder, role, DAMAGED_NODE);
    this.#kept = join(folder, 'kept');
    this.#role = role;
    this.#options = options;
    this.#examples = parts.examples;
    this.#random = new SeededRandom(options.seed + role.length);
  }

  async run(): Promise<readonly Figure[]> {
    const verdicts = new Map<string, Map<Verdict, number>>();
    for (let round = 0; round < this.#options.flipsPerKind; round += 1) {
      const done = new Set<string>();
      for (;;) {
        const kind = await this.#flipOne(done, verdicts);
        if (kind === null) break;
        done.add(kind);
      }
    }
    this.kinds = verdicts.size;
    return [...verdicts].flatMap(([kind, counts]) => {
      const bad = (counts.get('unclear') ?? 0) + (counts.get('silent') ?? 0);
      const text = [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
      return [told(`${this.#role}: ${kind}`, text), atMost('  of them wrong', bad, 0)];
    });
  }

  /** One kind that is not done yet. @returns null when there is none */
  async #flipOne(
    done: ReadonlySet<string>,
    verdicts: Map<string, Map<Verdict, number>>,
  ): Promise<string | null> {
    await this.#process.kill();
    rmSync(this.#kept, { recursive: true, force: true });
    cpSync(this.#data, this.#kept, { recursive: true });
    const [found] = [...kindsIn(this.#data)].filter(([kind]) => !done.has(kind));
    let verdict: Verdict = 'started';
    if (found !== undefined) {
      const [kind, files] = found;
      const place = this.#flipIn(files[this.#random.below(files.length)] ?? '');
      verdict = await this.#startedOrNot();
      const counts = verdicts.get(kind) ?? new Map<Verdict, number>();
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      verdicts.set(kind, counts);
      this.#options.tell(`${this.#role}, ${place}: ${verdict}`);
      if (verdict === 'unclear' || verdict === 'silent') {
        this.#examples.push(`${place}: ${verdict}\n${this.#process.output.slice(-1500)}`);
      }
    }
    if (verdict !== 'started') {
      // As from a copy that somebody has kept: the others tell what came since.
      await this.#process.kill();
      rmSync(this.#data, { recursive: true, force: true });
      cpSync(this.#kept, this.#data, { recursive: true });
    }
    if (found === undefined || verdict !== 'started') await this.#startedOrNot();
    return found?.[0] ?? null;
  }

  #flipIn(file: string): string {
    const path = join(this.#data, file);
    const bytes = readFileSync(path);
    const at = this.#random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << this.#random.below(8));
    writeFileSync(path, bytes);
    return `${basename(file)}, byte ${at} of ${bytes.length}`;
  }

  async #startedOrNot(): Promise<Verdict> {
    this.#process.start();
    const endMs = performance.now() + READY_LIMIT_MS;
    while (performance.now() < endMs) {
      const output = this.#process.outputSinceStart;
      if (!this.#process.isRunning) {
        this.#process.crashes = 0;
        return output.includes('did not start') && !output.includes('a mistake of')
          ? 'refused'
          : 'unclear';
      }
      if (output.includes('is ready')) return 'started';
      await pause(POLL_MS);
    }
    return 'silent';
  }
}

/** Files by kind, as paths below the folder; numbers in names do not make a kind. */
function kindsIn(folder: string): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map<string, string[]>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (!entry.isFile() || NO_DATA.has(entry.name)) continue;
    if (statSync(join(folder, path)).size === 0) continue;
    const kind = path.replaceAll(/[0-9a-f]*\d[0-9a-f]*/g, 'N');
    kinds.set(kind, [...(kinds.get(kind) ?? []), path]);
  }
  return kinds;
}
