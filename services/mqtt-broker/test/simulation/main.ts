import { parseArgs } from 'node:util';
import { simulateCluster } from './simulate-cluster.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string', default: '100' }, from: { type: 'string', default: '1' } },
});
if (values.seed !== undefined) {
  const result = await simulateCluster(Number(values.seed), (line) => console.log(line));
  console.log(result);
} else {
  const from = Number(values.from);
  let simulatedMs = 0;
  const cpu = process.cpuUsage();
  let found = 0;
  for (let seed = from; seed < from + Number(values.seeds); seed += 1) {
    const at = process.cpuUsage();
    const result = await simulateCluster(seed);
    simulatedMs += result.simulatedMs;
    console.log(seed, result.events, result.simulatedMs, process.cpuUsage(at).user / 1000, result.acknowledged, result.delivered, JSON.stringify(result.faults));
    if (result.violation === null) continue;
    found += 1;
    console.log(`seed ${seed}: ${result.violation.slice(0, 600)}`);
  }
  const { user, system } = process.cpuUsage(cpu);
  console.log(found, 'violations', simulatedMs / 1000, 's simulated in', (user + system) / 1e6, 's of processor');
}
