/**
 * The public interoperability suites of Eclipse Paho against a cluster: against one of its brokers, then
 * with every connection at another broker than the one before. The suites are no part of this project;
 * whoever has them names their folder.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  atLeast,
  atMost,
  type BrokerAddress,
  type CampaignResult,
  type Figure,
  told,
} from '@robustmq/campaign';
import { AlternatingProxy } from './alternating-proxy.ts';
import { TestCluster } from './test-cluster.ts';

const SERVING_LIMIT_MS = 90_000;
const SUITE_LIMIT_MS = 300_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const TOLD_CHARACTERS = 6000;
/**
 * Runs the tests of one module; as programs they read the words of the command line, and the runner of
 * tests reads them again. Some publish without waiting for the SUBACK of another client, which one broker
 * answers in order by chance: here every SUBSCRIBE waits, because that is what is promised and
 * no more.
 */
const RUN_TESTS = `
import importlib, sys, time, unittest
module = importlib.import_module(sys.argv[1])
module.host, module.port = '127.0.0.1', int(sys.argv[2])
module.topic_prefix = 'client_test5/'
module.topics = ('TopicA', 'TopicA/B', 'Topic/C', 'TopicA/C', '/TopicA')
module.wildtopics = ('TopicA/+', '+/C', '#', '/#', '/+', '+/+', 'TopicA/#')
module.nosubscribe_topics = ('test/nosubscribe',)
client = module.mqtt_client.Client
subscribe = client.subscribe
def subscribe_and_wait(self, *words, **named):
    heard = getattr(self.callback, 'subscribeds', None)
    before = len(heard) if heard is not None else 0
    answer = subscribe(self, *words, **named)
    until = time.time() + 5
    while heard is not None and len(self.callback.subscribeds) <= before and time.time() < until:
        time.sleep(.01)
    return answer
client.subscribe = subscribe_and_wait
result = unittest.TextTestRunner(stream=sys.stdout).run(
    unittest.defaultTestLoader.loadTestsFromModule(module))
print('ran=%d bad=%d' % (result.testsRun, len(result.errors) + len(result.failures)))
`;
/** What the suites expect of a broker beyond the standard. */
const EXPECTED_SETTINGS = [
  '[mqtt]',
  'refused_subscriptions = ["test/nosubscribe"]',
  'server_keep_alive_seconds = 60',
];
const SUITES = [
  { name: '5.0', module: 'client_test5', tests: 27 },
  { name: '3.1.1', module: 'client_test', tests: 10 },
] as const;

export interface ConformanceOptions {
  /** Where client_test.py and client_test5.py are; null: nobody has said. */
  readonly suites: string | null;
  readonly tell: (progress: string) => void;
}

export async function runConformance(options: ConformanceOptions): Promise<CampaignResult> {
  const { suites, tell } = options;
  if (suites === null || SUITES.some(({ module }) => !existsSync(join(suites, `${module}.py`)))) {
    const reason =
      'ARGS="--suites FOLDER" names the folder "interoperability" of paho.mqtt.testing';
    return { figures: [told('SKIPPED', reason)], examples: [] };
  }
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-conformance-'));
  const cluster = await TestCluster.open({
    ...{ folder, layout: 'together', hosts: null, environmentOf: () => ({}) },
    sections: { 'broker-mqtt': EXPECTED_SETTINGS },
  });
  let proxy: AlternatingProxy | null = null;
  try {
    cluster.startAll();
    tell(`serving after ${Math.round(await cluster.serving(SERVING_LIMIT_MS))} ms`);
    const first = cluster.brokers[0] as BrokerAddress;
    proxy = await AlternatingProxy.open(cluster.brokers);
    const figures: Figure[] = [];
    const examples: string[] = [];
    for (const [where, port] of [
      ['one broker', first.port],
      ['every connection at another broker', proxy.port],
    ] as const) {
      for (const { name, module, tests } of SUITES) {
        const { passed, output } = await suiteAgainst(port, module, suites);
        tell(`${name}, ${where}: ${passed} of ${tests}`);
        figures.push(atLeast(`${name}, ${where}: passed`, passed, tests));
        if (passed < tests) examples.push(output);
      }
    }
    figures.push(atMost('unasked exits', cluster.crashes, 0));
    return { figures, examples };
  } finally {
    await proxy?.close();
    await cluster.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface SuiteOutcome {
  readonly passed: number;
  /** From the first failure on. */
  readonly output: string;
}

async function suiteAgainst(port: number, module: string, cwd: string): Promise<SuiteOutcome> {
  let output = '';
  try {
    const words = ['-c', RUN_TESTS, module, String(port)];
    const done = await promisify(execFile)('python3', words, {
      ...{ cwd, timeout: SUITE_LIMIT_MS, maxBuffer: OUTPUT_BYTES_MAX },
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    output = `${done.stdout}${done.stderr}`;
  } catch (error) {
    output = String(error);
  }
  const [, run = '0', bad = '0'] = /ran=(\d+) bad=(\d+)/.exec(output) ?? [];
  const from = Math.max(0, output.search(/^(?:ERROR|FAIL):/m));
  return { passed: Number(run) - Number(bad), output: output.slice(from, from + TOLD_CHARACTERS) };
}
