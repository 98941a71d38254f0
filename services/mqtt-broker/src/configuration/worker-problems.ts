import { type Configuration, type Problem, refusedCombination } from '@robustmq/config';
import { WORKER_STEP } from '../worker-settings.ts';
import type { ConfiguredListener } from './listeners.ts';
import type { BrokerConfigurationValues } from './schema.ts';

const PORT_MAX = 65_535;

/** Why several processes cannot be one broker. */
export function workerProblems(
  listeners: readonly ConfiguredListener[],
  configuration: Configuration<BrokerConfigurationValues>,
): readonly Problem[] {
  const { node } = configuration.values;
  if (node.workers === 1) return [];
  const problems: Problem[] = [];
  const refuse = (key: string, message: string): void => {
    problems.push(refusedCombination(configuration, { key, message }));
  };
  if (node.placement_center.length === 0) {
    refuse(
      'workers',
      `is ${node.workers}, but a broker that stands alone has one journal, and a journal has one writer: ` +
        'set 1, or make it a member of a cluster with placement_center',
    );
  }
  if (node.broker_id > WORKER_STEP) {
    refuse(
      'broker_id',
      `is ${node.broker_id}, but with workers it is at most ${WORKER_STEP}: each worker has a number ${WORKER_STEP} above the one before`,
    );
  }
  const shift = (node.workers - 1) * WORKER_STEP;
  for (const key of ['grpc_port', 'http_port'] as const) {
    const port = node[key];
    if (port === 'off' || port === 0 || port + shift <= PORT_MAX) continue;
    refuse(
      key,
      `is ${port}, and that of worker ${node.workers} would be ${port + shift}: above ${PORT_MAX}`,
    );
  }
  for (const { options, portPath } of listeners) {
    if (options.port === 0) refuse(portPath, 'is 0, but workers share a port that they know');
  }
  return problems;
}
