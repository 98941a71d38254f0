/**
 * Nine processes on this machine: a cluster as the README starts it, in the background.
 *
 * usage: node scripts/cluster.ts up|down
 *
 * Data and logs lie where the files of config/cluster say, below the working directory. `down` stops the
 * brokers first, and keeps the data. `up` leaves what runs already as it is.
 */
import { spawnSync } from 'node:child_process';

const root = new URL('..', import.meta.url).pathname;
const NODES = [1, 2, 3];
const ROLES = [
  { component: 'placement-center', folder: 'placement-center' },
  { component: 'journal-server', folder: 'journal-server' },
  { component: 'broker-mqtt', folder: 'mqtt-server' },
];

function robustctl(words: readonly string[]): boolean {
  console.log(`robustctl ${words.join(' ')}`);
  const { status } = spawnSync(`${root}scripts/robustctl`, words, { cwd: root, stdio: 'inherit' });
  return status === 0;
}

/** Whether the process of a configuration file runs, started by whomever. */
function runs(component: string, file: string): boolean {
  const words = [component, 'status', file];
  return spawnSync(`${root}scripts/robustctl`, words, { cwd: root, stdio: 'ignore' }).status === 0;
}

function up(): boolean {
  for (const { component, folder } of ROLES) {
    for (const node of NODES) {
      const file = `config/cluster/${folder}/node-${node}.toml`;
      if (runs(component, file)) {
        console.log(`${component} ${file} runs already`);
        continue;
      }
      if (!robustctl([component, 'start', file, '--daemon'])) return false;
    }
  }
  console.log(`
A cluster of nine processes is running. Try, in two other terminals:
  mosquitto_sub -p 1883 -V 5 -t 'home/#' -v
  mosquitto_pub -p 11883 -V 5 -t home/kitchen/temperature -m 21.5 -q 1
and look at it with
  scripts/robustctl cluster health
  scripts/robustctl cluster nodes
\`make cluster-down\` ends it and keeps its data.`);
  return true;
}

function down(): boolean {
  let stopped = true;
  for (const { component, folder } of ROLES.toReversed()) {
    for (const node of NODES) {
      const file = `config/cluster/${folder}/node-${node}.toml`;
      if (!robustctl([component, 'stop', file])) stopped = false;
    }
  }
  return stopped;
}

const [verb] = process.argv.slice(2);
if (verb !== 'up' && verb !== 'down') {
  console.error('usage: node scripts/cluster.ts up|down');
  process.exit(64);
}
process.exit((verb === 'up' ? up() : down()) ? 0 : 1);
