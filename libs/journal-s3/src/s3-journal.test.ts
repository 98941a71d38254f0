import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Offset, RecordSelector } from '@robustmq/journal';
import { appendSamples, describeJournal, readToEnd, textOf } from '@robustmq/journal-conformance';
import { type S3Server, openS3Server } from '@robustmq/store-servers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openS3Journal } from './s3-journal.ts';
import type { TieredJournal } from './s3-journal.ts';

const EVERYTHING: RecordSelector = { kind: 'everything' };
const MEMORY_DISK = '/dev/shm';

describe('a store that speaks S3', () => {
  const parent = mkdtempSync(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), 'tier-'));
  let server: S3Server;
  let directories = 0;
  let segmentBytes = 0;

  beforeAll(async () => {
    server = await openS3Server();
  });
  afterAll(async () => {
    await server.close();
    rmSync(parent, { recursive: true, force: true });
  });

  function open(
    options: Partial<Parameters<typeof openS3Journal>[0]>,
  ): ReturnType<typeof openS3Journal> {
    const { endpoint, bucket, credentials } = server;
    const directory = join(parent, String(directories));
    const prefix = `p/${directories}`;
    return openS3Journal({
      ...{ endpoint, bucket, credentials, directory, prefix, localBytesMax: 0 },
      ...options,
    });
  }

  describeJournal('segments in an S3 store', {
    open: (segmentBytesMax) => {
      directories += 1;
      segmentBytes = segmentBytesMax;
      return open({ segmentBytesMax });
    },
    reopen: () => open({ segmentBytesMax: segmentBytes }),
  });

  test('a lost disk is restored from the objects, names with odd characters too', async () => {
    directories += 1;
    const name = 'other/of*them.~ ü';
    const journal = await open({ segmentBytesMax: 400 });
    const shard = await journal.openShard(name);
    for (let i = 0; i < 40; i += 1) await appendSamples(shard, ['x', 'y'], 'sync');
    await journal.close();
    // What waits is sent at the next opening.
    const resumed = await open({ segmentBytesMax: 400 });
    await resumed.openShard(name);
    await (resumed as TieredJournal).settle();
    expect(localFiles(name)).toBe(2);
    await resumed.close();
    rmSync(join(parent, String(directories)), { recursive: true });
    const restored = await open({ segmentBytesMax: 400 });
    expect(await restored.listShards()).toEqual([name]);
    const again = await restored.openShard(name);
    const records = await readToEnd(again.openReader(0 as Offset, EVERYTHING), 9);
    expect(records.length).toBeGreaterThan(55);
    expect(records.map(textOf)[55]).toBe('55 y body 55');
    await restored.close();
  });

  function localFiles(name: string): number {
    const folder = encodeURIComponent(name).replaceAll(
      /[.!'()*~]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    const files = readdirSync(join(parent, String(directories), 'shards', folder));
    return files.filter((file) => file.endsWith('.log')).length;
  }

  test('a bucket that is not there is told, the keys are not', async () => {
    directories += 1;
    const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'hunter2' };
    const refused = open({ bucket: 'absent', credentials });
    await expect(refused).rejects.toThrow("the bucket can't be used");
    await expect(refused).rejects.not.toThrow('hunter2');
  });
});
