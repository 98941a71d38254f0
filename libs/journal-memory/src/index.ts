export { openMemoryJournal } from './memory-journal.ts';
export type { MemoryJournalOptions } from './memory-journal.ts';
export type { Hold, MemoryFaults, RequestKind, RequestMatch } from './request-faults.ts';
export { openSharedMemory } from './shared-memory.ts';
export type { SharedMemory, SharedMemoryOptions } from './shared-memory.ts';
