export { openNatsCluster, whyNoNatsCluster } from './nats-cluster.ts';
export type { NatsCluster } from './nats-cluster.ts';
