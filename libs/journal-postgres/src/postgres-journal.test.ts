import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import type { Journal, JournalShard, Offset, RecordSelector } from '@robustmq/journal';
import { appendSamples, describeJournal, readToEnd, textOf } from '@robustmq/journal-conformance';
import { openPostgres, type PostgresInstance, whyNoPostgres } from '@robustmq/store-servers';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgresJournal } from './postgres-journal.ts';

const missing = whyNoPostgres();
if (missing !== null) console.warn(`SKIPPED: ${missing}`);

const START = 0 as Offset;
const EVERYTHING: RecordSelector = { kind: 'everything' };

describe.skipIf(missing !== null)('PostgreSQL', () => {
  let server: PostgresInstance;
  let schemas = 0;
  let segmentBytes = 0;

  beforeAll(async () => {
    server = await openPostgres();
  });
  afterAll(() => server.close());

  function open(options: Partial<Parameters<typeof openPostgresJournal>[0]>): Promise<Journal> {
    const { host, port, database, user, password } = server;
    const schema = `test_${schemas}`;
    return openPostgresJournal({ host, port, database, user, password, schema, ...options });
  }

  function openFresh(options: Parameters<typeof open>[0]): Promise<Journal> {
    schemas += 1;
    return open(options);
  }

  describeJournal('PostgreSQL', {
    open: (segmentBytesMax) => {
      segmentBytes = segmentBytesMax;
      return openFresh({ segmentBytesMax, cacheBytesMax: 0 });
    },
    reopen: () => open({ segmentBytesMax: segmentBytes }),
    openSuccessor: () => open({ segmentBytesMax: segmentBytes }),
    openBounded: (journalBytesMax) =>
      openFresh({ journalBytesMax, segmentBytesMax: journalBytesMax / 10 }),
  });

  async function execute(text: string): Promise<readonly Record<string, unknown>[]> {
    const { host, port, database, user, password } = server;
    const client = new pg.Client({ host, port, database, user, password });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async function readAll(shard: JournalShard): Promise<string[]> {
    return (await readToEnd(shard.openReader(START, EVERYTHING), 100)).map(textOf);
  }

  test('asks the server what a commit means there', async () => {
    const journal = await openFresh({});
    expect(journal.capabilities).toMatchObject({ durable: true, replicated: false, shared: true });
    await journal.close();
    await execute('ALTER DATABASE postgres SET synchronous_commit = off');
    const fast = await open({});
    expect(fast.capabilities).toMatchObject({ durable: false });
    await fast.close();
    await execute('ALTER DATABASE postgres RESET synchronous_commit');
  });

  test('appends wait for a server that comes back, and are there once', async () => {
    const journal = await openFresh({});
    const shard = await journal.openShard('survivor');
    await appendSamples(shard, ['before'], 'sync');
    await server.kill();
    const appends = Promise.all([1, 2, 3].map(() => appendSamples(shard, ['during'], 'sync')));
    await server.restart();
    expect(await appends).toEqual([1, 2, 3]);
    expect(await readAll(shard)).toEqual([
      '0 before body 0',
      '1 during body 1',
      '2 during body 2',
      '3 during body 3',
    ]);
    await journal.close();
  });

  test('reads are told that the server is away, and succeed once it is back', async () => {
    const journal = await openFresh({ cacheBytesMax: 0, writeTimeoutMs: 500 });
    const shard = await journal.openShard('away');
    await appendSamples(shard, ['x'], 'sync');
    await server.kill();
    await expect(shard.readAt(START)).rejects.toMatchObject({
      fault: { code: 'JOURNAL_UNAVAILABLE' },
    });
    await server.restart();
    expect((await shard.readAt(START))?.topic).toBe('x');
    await journal.close();
  });

  test('a write whose answer was lost is found, not repeated', async () => {
    const proxy = await openProxy(server.port);
    const journal = await openFresh({ port: proxy.port });
    const shard = await journal.openShard('lossy');
    for (const offset of [0, 1, 2]) {
      proxy.dropNextAnswer();
      expect(await appendSamples(shard, ['once'], 'sync')).toBe(offset);
    }
    expect(proxy.dropped).toBe(3);
    expect(await readAll(shard)).toEqual(['0 once body 0', '1 once body 1', '2 once body 2']);
    await journal.close();
    await proxy.close();
  });

  test('tables of another version are refused', async () => {
    const journal = await openFresh({});
    await journal.close();
    await execute(`COMMENT ON TABLE test_${schemas}.shards IS 'robustmq-journal 99'`);
    await expect(open({})).rejects.toThrow('are of version robustmq-journal 99');
  });

  test('a wrong password is told without any password', async () => {
    const refused = openFresh({ password: 'hunter2' });
    await expect(refused).rejects.toThrow('password authentication failed');
    await expect(refused).rejects.not.toThrow('hunter2');
  });
});

/** Stands between client and server, and cuts a connection whose request was answered. */
interface Proxy {
  readonly port: number;
  readonly dropped: number;
  dropNextAnswer(): void;
  close(): Promise<void>;
}

async function openProxy(serverPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let armed = false;
  let dropped = 0;
  const listener = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      if (!armed) {
        client.write(bytes);
        return;
      }
      armed = false;
      dropped += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    get dropped() {
      return dropped;
    },
    dropNextAnswer: () => {
      armed = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
