/**
 * One flipped bit in each kind of file: it is found by its checksum and never served. The broker
 * starts and reports what it lost, or refuses with a plain message.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CampaignResult,
  atLeast,
  atMost,
  type Figure,
  told,
  DurableLoad,
  sequenceOf,
} from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { connect } from '@robustmq/mqtt-client';
import { BrokerEnded, BrokerProcess } from './broker-process.ts';

/** Long enough for a checkpoint, which is made every five seconds. */
const LOAD_MS = 7000;
const QUIET_MS = 400;
const STORED_FILTER = 'campaign/publisher-5/#';
/** The words of the log that say that something stored is gone. */
const REPORTS = ['journal.quarantined', 'journal.truncated'];

/** How many. */
export interface BitFlipOptions {
  readonly seed: number;
  readonly flipsPerKind: number;
}

type Verdict =
  | 'harmless'
  | 'reported'
  | 'refused'
  | 'unreported'
  | 'wrong'
  | 'unclear'
  | 'unserved';

/** What one start on some data brought. */
interface Findings {
  readonly verdict: 'started' | 'refused' | 'unclear' | 'unserved';
  /** `topic sequence`, in the order of arrival. */
  readonly messages: readonly string[];
  readonly retained: readonly string[];
  readonly corrupted: number;
  readonly reported: boolean;
  readonly output: string;
}

export async function runBitFlipCampaign(options: BitFlipOptions): Promise<CampaignResult> {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-bitflip-'));
  const random = new SeededRandom(options.seed);
  const figures: Figure[] = [];
  const examples: string[] = [];
  try {
    for (const end of ['stopped', 'killed'] as const) {
      const pristine = join(folder, `pristine-${end}`);
      await makeData({ folder, pristine, end, seed: options.seed });
      const whole = await findingsOf(folder, pristine);
      figures.push(atLeast(`${end}: messages that wait`, whole.messages.length, 100));
      for (const [kind, files] of kindsOf(pristine)) {
        const verdicts = new Map<Verdict, number>();
        for (let flip = 0; flip < options.flipsPerKind; flip += 1) {
          const file = files[random.below(files.length)] as string;
          const place = flipIn({ pristine, damaged: join(folder, 'data'), file, random });
          const found = await findingsOf(folder, null);
          const verdict = verdictOf(whole, found);
          verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
          if (['unreported', 'wrong', 'unclear', 'unserved'].includes(verdict)) {
            examples.push(`${end}, ${place}: ${verdict}\n${found.output.slice(0, 1500)}`);
          }
        }
        const bad = examples.filter((each) => each.startsWith(`${end}, `) && each.includes(kind));
        const text = [...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
        figures.push(told(`${end}: ${kind}`, text), atMost('  of them wrong', bad.length, 0));
      }
    }
    return { figures, examples };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function brokerOn(folder: string, dataFolder: string): BrokerProcess {
  return new BrokerProcess({
    folder,
    dataFolder,
    sections: { storage: ['segment_bytes_max = "1 MiB"'] },
    nodeOptions: [],
    environment: {},
  });
}

/** Data of several segments, with a checkpoint, and messages that wait for somebody. */
async function makeData(scene: {
  readonly folder: string;
  readonly pristine: string;
  readonly end: 'stopped' | 'killed';
  readonly seed: number;
}): Promise<void> {
  const broker = brokerOn(scene.folder, scene.pristine);
  const load = new DurableLoad({
    group: 'with',
    place: broker,
    seed: scene.seed,
    messagesPerSecond: 500,
    fillerBytesMax: 1500,
  });
  try {
    await broker.start();
    await load.start();
    await delay(LOAD_MS);
    await load.pause();
    if (scene.end === 'stopped') await broker.stop();
  } finally {
    await broker.kill();
    await load.end();
  }
}

/** Files by what they are: the name without its numbers. */
function kindsOf(data: string): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map<string, string[]>();
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || readFileSync(path).length === 0) continue;
    const name = path.slice(data.length + 1);
    const kind = name.replaceAll(/\d{4,}/g, 'N');
    kinds.set(kind, [...(kinds.get(kind) ?? []), name]);
  }
  return kinds;
}

/** Copies the data and flips one bit. @returns where, in words */
function flipIn(scene: {
  readonly pristine: string;
  readonly damaged: string;
  readonly file: string;
  readonly random: SeededRandom;
}): string {
  rmSync(scene.damaged, { recursive: true, force: true });
  cpSync(scene.pristine, scene.damaged, { recursive: true });
  const path = join(scene.damaged, scene.file);
  const bytes = readFileSync(path);
  const at = scene.random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << scene.random.below(8));
  writeFileSync(path, bytes);
  const kind = scene.file.replaceAll(/\d{4,}/g, 'N');
  return `${kind}, ${basename(scene.file)} byte ${at} of ${bytes.length}`;
}

/** Starts on a copy of `pristine` (null: on what is there) and takes everything that waits. */
async function findingsOf(folder: string, pristine: string | null): Promise<Findings> {
  const data = join(folder, 'data');
  if (pristine !== null) {
    rmSync(data, { recursive: true, force: true });
    cpSync(pristine, data, { recursive: true });
  }
  const broker = brokerOn(folder, data);
  const nothing = { messages: [], retained: [], corrupted: 0, reported: false };
  try {
    await broker.start();
    const waiting = await takeAll(broker, { clientId: 'offline-1', filter: null });
    const retained = await takeAll(broker, { clientId: 'newcomer', filter: STORED_FILTER });
    const { output } = broker;
    return {
      verdict: 'started',
      messages: waiting.messages,
      retained: retained.messages,
      corrupted: waiting.corrupted + retained.corrupted,
      reported: REPORTS.some((word) => output.includes(word)),
      output,
    };
  } catch (error) {
    const { output } = broker;
    if (!(error instanceof BrokerEnded)) {
      return { ...nothing, verdict: 'unserved', output: `${String(error)}\n${output}` };
    }
    const isPlain = output.includes('did not start') && !output.includes('a mistake of');
    return { ...nothing, verdict: isPlain ? 'refused' : 'unclear', output };
  } finally {
    await broker.kill();
  }
}

interface Taken {
  readonly messages: readonly string[];
  readonly corrupted: number;
}

/** Resumes a session, or subscribes anew, and reads until nothing comes any more. */
async function takeAll(
  broker: BrokerProcess,
  reader: { readonly clientId: string; readonly filter: string | null },
): Promise<Taken> {
  const messages: string[] = [];
  let corrupted = 0;
  let arrivedAtMs = performance.now();
  const client = await connect({
    port: broker.port ?? 0,
    clientId: reader.clientId,
    cleanStart: reader.filter !== null,
    properties: { sessionExpiryIntervalSeconds: reader.filter === null ? 3600 : 0 },
    timeoutMs: 5000,
    onMessage: ({ topic, payload }) => {
      arrivedAtMs = performance.now();
      const sequence = sequenceOf(topic, payload);
      if (sequence === null) corrupted += 1;
      messages.push(`${topic} ${sequence}`);
    },
  });
  const probe = { topic: 'probe', payload: new Uint8Array(1), qos: 1 } as const;
  if (reader.filter !== null) await client.subscribe([{ filter: reader.filter, qos: 1 }]);
  await client.publish(probe);
  arrivedAtMs = performance.now();
  while (performance.now() < arrivedAtMs + QUIET_MS) await delay(20);
  client.destroy();
  return { messages, corrupted };
}

function verdictOf(whole: Findings, found: Findings): Verdict {
  if (found.verdict !== 'started') return found.verdict;
  const expected = new Set([...whole.messages, ...whole.retained]);
  const alien = [...found.messages, ...found.retained].some((each) => !expected.has(each));
  if (found.corrupted > 0 || alien || isDisordered(whole, found)) return 'wrong';
  const isWhole =
    sameSet(whole.messages, found.messages) && sameSet(whole.retained, found.retained);
  if (found.reported) return 'reported';
  return isWhole ? 'harmless' : 'unreported';
}

/** Whether messages come in another order than before the damage, or twice. */
function isDisordered(whole: Findings, found: Findings): boolean {
  const places = new Map(whole.messages.map((message, place) => [message, place]));
  const order = found.messages.map((message) => places.get(message) ?? -1);
  return order.some((place, index) => index > 0 && place <= (order[index - 1] ?? -1));
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const right = new Set(b);
  return new Set(a).size === right.size && a.every((each) => right.has(each));
}
