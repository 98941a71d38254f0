/** A broker on each medium of the journal: what was acknowledged is there after a stop and after a crash. */
import {
  type NatsCluster,
  openNatsCluster,
  openPostgres,
  openS3Server,
  type PostgresInstance,
  type S3Server,
  whyNoNatsCluster,
  whyNoPostgres,
} from '@robustmq/store-servers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DurableWorld, startDurable } from './durable.fixture.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryIntervalSeconds: 3600 } } as const;

const ENDS = [
  { end: 'an orderly stop', again: (world: DurableWorld) => world.restart() },
  { end: 'a crash', again: (world: DurableWorld) => world.crash() },
] as const;

function describeMedium(storageText: () => string): void {
  for (const { end, again } of ENDS) {
    test(`has sessions, messages and retained messages after ${end}`, async () => {
      const world = await startDurable({ storage: storageText() });
      const reader = await world.client({ ...KEPT, clientId: 'reader' });
      await reader.subscribe('a/+', { qos: 1 });
      await reader.disconnect();
      const publisher = await world.client();
      for (let n = 0; n < 20; n += 1) await publisher.publish(`a/${n % 3}`, `${n}`, { qos: 1 });
      await publisher.publish('kept', 'value', { qos: 1, retain: true });
      await again(world);
      const back = await world.client({ ...KEPT, clientId: 'reader' });
      expect(back.connack.sessionPresent).toBe(true);
      for (let n = 0; n < 20; n += 1) expect(await back.receiveText()).toBe(`${n}`);
      await back.subscribe('kept', { qos: 1 });
      expect(await back.receiveText()).toBe('value');
    });
  }
}

/** Tests on servers that live as long as the tests. */
function describeServers<Servers extends { close(): Promise<void> }>(
  why: string | null,
  open: () => Promise<Servers>,
  storageText: (servers: Servers) => string,
): void {
  if (why !== null) console.warn(`SKIPPED: ${why}`);
  describe.skipIf(why !== null)('with its servers', () => {
    let servers: Servers;
    beforeAll(async () => {
      servers = await open();
    });
    afterAll(() => servers.close());
    describeMedium(() => storageText(servers));
  });
}

describe('a broker on LevelDB', () => describeMedium(() => 'storage_type = "level"'));

describe('a broker on JetStream', () => {
  let prefixes = 0;
  const sectionOf = ({ servers, user, password }: NatsCluster): string => {
    prefixes += 1;
    return [
      'storage_type = "jetstream"',
      '[jetstream]',
      `servers = ${JSON.stringify(servers)}`,
      `user = "${user}"`,
      `password = "${password}"`,
      `prefix = "p${prefixes}"`,
    ].join('\n');
  };
  describeServers(whyNoNatsCluster(), openNatsCluster, sectionOf);
});

describe('a broker on PostgreSQL', () => {
  let schemas = 0;
  const sectionOf = ({ host, port, database, user, password }: PostgresInstance): string => {
    schemas += 1;
    return [
      'storage_type = "postgres"',
      '[postgres]',
      `host = "${host}"`,
      `port = ${port}`,
      `database = "${database}"`,
      `user = "${user}"`,
      `password = "${password}"`,
      `schema = "s${schemas}"`,
    ].join('\n');
  };
  describeServers(whyNoPostgres(), () => openPostgres(), sectionOf);
});

describe('a broker whose segments move to a bucket', () => {
  let prefixes = 0;
  const sectionOf = ({ endpoint, bucket, credentials }: S3Server): string => {
    prefixes += 1;
    return [
      'storage_type = "s3"',
      '[s3]',
      `endpoint = "${endpoint}"`,
      `bucket = "${bucket}"`,
      `access_key_id = "${credentials.accessKeyId}"`,
      `secret_access_key = "${credentials.secretAccessKey}"`,
      `prefix = "p${prefixes}"`,
    ].join('\n');
  };
  describeServers(null, openS3Server, sectionOf);
});
