/** What clients cost that come, subscribe and move, on three brokers. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSecondsOf } from '../placement/store-group.ts';
import type { BrokerGroup } from './broker-group.ts';
import type { ClientFigures, SubscribeLoad, TakeoverLoad } from './client-load.ts';
import type { PartFigures, PartTerms } from './live-part.ts';
import { digits } from '../digits.ts';
import { type ClusterRow, ownRow } from './part-result.ts';
import { startRobustmqCluster } from './robustmq-cluster.ts';

const CONNECTIONS = 102;
const SUBSCRIPTIONS = 100_000;
const SUBSCRIBES_GOAL = 5000;
const TAKEOVERS_GOAL = 20_000;
const LOAD_LIMIT_MS = 170_000;

/** 100,000 filters with a wildcard over three brokers: the time, and what they hold of memory. */
export async function measureSubscriptions(terms: PartTerms): Promise<PartFigures> {
  const rows: ClusterRow[] = [];
  for (const isDurable of [false, true]) {
    rows.push(...(await onCluster(terms, (group) => subscribeAll(terms, group, isDurable))));
  }
  const notes = [
    'Subscriptions: one filter with `+` a packet, 16 packets of a connection under way; a SUBACK means that ' +
      'every broker has the route. Memory is what the resident memory of the three brokers grew by, in sum.',
  ];
  return { rows, notes };
}

async function subscribeAll(
  terms: PartTerms,
  group: BrokerGroup,
  isDurable: boolean,
): Promise<readonly ClusterRow[]> {
  const before = residentBytes(group.brokerPids.flat());
  const load: SubscribeLoad = {
    ...{ brokers: group.brokers, connections: CONNECTIONS, window: 16, isDurable },
    filtersEach: Math.ceil(SUBSCRIPTIONS / CONNECTIONS),
  };
  const cpu = cpuByRole(group);
  const running = runClients('subscribes', load);
  const { perSecond, p99Ms, failures, done } = await running.figures;
  const spent = cpu();
  const growth = residentBytes(group.brokerPids.flat()) - before;
  await running.end();
  const scenario = `100,000 subscriptions, ${isDurable ? 'durable' : 'ephemeral'} sessions`;
  terms.say(
    `${scenario}: ${digits(perSecond)}/s, p99 ${digits(p99Ms)} ms, ${digits(growth / done)} B each, ` +
      `${failures} failed, CPU s per 1,000: ${spent(done)}`,
  );
  return [
    ownRow({
      ...{ scenario, figure: 'SUBACKs/s', value: digits(perSecond) },
      ...{ goal: '≥ 5,000', isMet: perSecond >= SUBSCRIBES_GOAL && failures === 0 },
    }),
    ownRow({ scenario, figure: 'p99 of SUBACK, ms', value: digits(p99Ms) }),
    ownRow({ scenario, figure: 'CPU s per 1,000 by role', value: spent(done) }),
    ownRow({ scenario, figure: 'memory each, B, three brokers', value: digits(growth / done) }),
    ownRow({ scenario, figure: 'refused or late', value: String(failures) }),
  ];
}

/** Clients that connect at the next broker while they are connected at this one. */
export async function measureTakeovers(terms: PartTerms): Promise<PartFigures> {
  const rows: ClusterRow[] = [];
  for (const isDurable of [false, true]) {
    rows.push(...(await onCluster(terms, (group) => takeOver(terms, group, isDurable))));
  }
  const notes = [
    'Takeovers: 600 clients, 64 of them moving at a time; one counts when CONNACK is there, the session is ' +
      'present where it is durable, and the connection before is closed. The processor time includes that of ' +
      'the first connections. A durable one costs several transactions and readings in the placement center, a ' +
      'question between brokers, and a write and a claim in the journal: nine processes and the clients share two cores.',
  ];
  return { rows, notes };
}

async function takeOver(
  terms: PartTerms,
  group: BrokerGroup,
  isDurable: boolean,
): Promise<readonly ClusterRow[]> {
  const load: TakeoverLoad = {
    ...{ brokers: group.brokers, clients: 600, parallel: 64, isDurable },
    seconds: terms.seconds * 2,
  };
  const cpu = cpuByRole(group);
  const running = runClients('takeovers', load);
  const { perSecond, p50Ms, p99Ms, failures, done } = await running.figures;
  const spent = cpu();
  await running.end();
  const scenario = `takeovers, ${isDurable ? 'durable' : 'clean'} sessions`;
  const perMinute = perSecond * 60;
  terms.say(
    `${scenario}: ${digits(perMinute)}/min, p50 ${digits(p50Ms)} p99 ${digits(p99Ms)} ms, ` +
      `${failures} failed, CPU s per 1,000: ${spent(done)}`,
  );
  return [
    ownRow({
      ...{ scenario, figure: 'per minute', value: digits(perMinute) },
      ...{ goal: '≥ 20,000', isMet: perMinute >= TAKEOVERS_GOAL && failures === 0 },
    }),
    ownRow({ scenario, figure: 'p99, ms', value: digits(p99Ms) }),
    ownRow({ scenario, figure: 'CPU s per 1,000 by role', value: spent(done) }),
    ownRow({ scenario, figure: 'failed', value: String(failures) }),
  ];
}

async function onCluster<Result>(
  terms: PartTerms,
  work: (group: BrokerGroup) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(terms.folder, 'clients-'));
  const group = await startRobustmqCluster(folder, { brokers: 3, workers: 1, brokerCores: null });
  try {
    return await work(group);
  } finally {
    await group.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function runClients(
  mode: 'subscribes' | 'takeovers',
  load: SubscribeLoad | TakeoverLoad,
): { readonly figures: Promise<ClientFigures>; readonly end: () => Promise<void> } {
  const program = new URL('client-load.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [program, mode, JSON.stringify(load)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: LOAD_LIMIT_MS,
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const figures = new Promise<ClientFigures>((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(JSON.parse(text) as ClientFigures);
    });
    child.once('exit', (code) => reject(new Error(`the clients ended with ${String(code)}`)));
  });
  const end = async (): Promise<void> => {
    child.stdin?.on('error', () => {}); // it may have ended
    child.stdin?.end('over\n');
    await exited;
  };
  return { figures, end };
}

/** Begins to count; the result's result says what was spent for each thousand. */
function cpuByRole({ brokerPids, pids }: BrokerGroup): () => (done: number) => string {
  const brokers = brokerPids.flat();
  const others = pids.filter((pid) => !brokers.includes(pid));
  const [centers, journals] = [others.slice(0, 3), others.slice(3)];
  const roles = [brokers, centers, journals];
  const before = roles.map(cpuSecondsOf);
  return () => {
    const spent = roles.map((role, index) => cpuSecondsOf(role) - (before[index] ?? 0));
    return (done) => {
      const [broker, center, journal] = spent.map((each) => digits((each / done) * 1000));
      return `brokers ${broker}, placement ${center}, journal ${journal}`;
    };
  };
}

function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return sum + Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }, 0);
}
