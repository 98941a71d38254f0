import { MemoryFileSystem } from '@robustmq/environment';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backupBytes, openBackupFile } from './backup-file.ts';

const HEADER = { clusterName: 'a', clusterId: 'a', revision: 7, index: 9, version: '1' };

async function* piecesOf(pieces: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* pieces;
}

async function bytesOf(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of backupBytes(HEADER, piecesOf(pieces))) parts.push(part);
  return Buffer.concat(parts);
}

async function fileWith(bytes: Uint8Array): Promise<MemoryFileSystem> {
  const fileSystem = new MemoryFileSystem();
  const file = await fileSystem.open('backup', 'create');
  await file.write(bytes, 0);
  await file.close();
  return fileSystem;
}

const content = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 5 });

test('what was written is read, header and content', async () => {
  await fc.assert(
    fc.asyncProperty(content, async (pieces) => {
      const opened = await openBackupFile(await fileWith(await bytesOf(pieces)), 'backup');
      expect(opened.header).toEqual(HEADER);
      const read: Uint8Array[] = [];
      for await (const piece of opened.content) read.push(piece);
      expect(read.map((piece) => [...piece])).toEqual(pieces.map((piece) => [...piece]));
    }),
    { numRuns: 30 },
  );
});

test('a file that was changed or cut off anywhere is refused', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.nat(), fc.boolean(), async (pieces, at, cut) => {
      const bytes = await bytesOf(pieces);
      const place = at % bytes.length;
      const damaged = cut ? bytes.slice(0, place) : bytes.slice();
      if (!cut) damaged[place] = (damaged[place] ?? 0) ^ 0x10;
      const opening = openBackupFile(await fileWith(damaged), 'backup');
      await expect(opening).rejects.toMatchObject({ code: 'PLACEMENT_CENTER_BACKUP' });
    }),
    { numRuns: 60 },
  );
});
