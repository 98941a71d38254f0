import { describeJournal } from '@robustmq/journal-conformance';
import { openMemoryJournal } from './memory-journal.ts';

describeJournal('memory', {
  open: async (segmentBytesMax) => openMemoryJournal({ segmentBytesMax }),
  openBounded: async (bytesMax) => openMemoryJournal({ bytesMax, segmentBytesMax: bytesMax / 10 }),
});
