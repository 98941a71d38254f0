export { openNatsCluster, whyNoNatsCluster } from './nats-cluster.ts';
export type { NatsCluster } from './nats-cluster.ts';
export { openPostgres, whyNoPostgres } from './postgres-server.ts';
export type { PostgresInstance } from './postgres-server.ts';
export { openS3Server } from './s3-server.ts';
export type { S3Server } from './s3-server.ts';
