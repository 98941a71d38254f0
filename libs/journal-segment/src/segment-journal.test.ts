import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, MemoryFileSystem, SeededRandom } from '@robustmq/environment';
import type { Journal } from '@robustmq/journal';
import { describeJournal } from '@robustmq/journal-conformance';
import { afterAll } from 'vitest';
import { openSegmentJournal } from './segment-journal.ts';

let fileSystem = new MemoryFileSystem();
let segmentBytes = 0;

function openInMemory(limits: {
  journalBytesMax?: number;
  cacheBytesMax?: number;
}): Promise<Journal> {
  const environment = { fileSystem, clock: new ManualClock(0), random: new SeededRandom(1) };
  const options = { directory: 'data', segmentBytesMax: segmentBytes, ...limits };
  return openSegmentJournal(options, environment);
}

for (const cacheBytesMax of [0, 1_000_000]) {
  describeJournal(`segment files with a cache of ${cacheBytesMax} bytes`, {
    open: (segmentBytesMax) => {
      fileSystem = new MemoryFileSystem();
      segmentBytes = segmentBytesMax;
      return openInMemory({ cacheBytesMax });
    },
    reopen: () => openInMemory({ cacheBytesMax }),
    openBounded: (journalBytesMax) => {
      fileSystem = new MemoryFileSystem();
      segmentBytes = journalBytesMax / 10;
      return openInMemory({ journalBytesMax, cacheBytesMax });
    },
  });
}

const parent = mkdtempSync(join(tmpdir(), 'journal-segment-'));
let directories = 0;

describeJournal('segment files on the disk', {
  open: (segmentBytesMax) => {
    directories += 1;
    segmentBytes = segmentBytesMax;
    return openSegmentJournal({ directory: join(parent, String(directories)), segmentBytesMax });
  },
  reopen: () =>
    openSegmentJournal({
      directory: join(parent, String(directories)),
      segmentBytesMax: segmentBytes,
    }),
});

afterAll(() => rmSync(parent, { recursive: true, force: true }));
