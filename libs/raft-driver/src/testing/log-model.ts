/** A log as the paper has it, to compare the log on disk with, and what random leaders do to it. */
import { type FileSystem, SeededRandom } from '@robustmq/environment';
import {
  type Entry,
  type EntryId,
  type HardState,
  LOG_START,
  type LogIndex,
  NO_HARD_STATE,
  type NodeId,
  type Persist,
  type PersistNumber,
  type Term,
} from '@robustmq/raft';
import { expect } from 'vitest';
import { recoverLog } from '../log-recovery.ts';
import { RaftLogStore } from '../raft-log-store.ts';

export const DIRECTORY = 'log';

export async function openLog(
  fileSystem: FileSystem,
  keepAfter = 0,
  segmentBytesMax = 1500,
): Promise<{
  store: RaftLogStore;
  entries: Entry[];
  earlier: Awaited<ReturnType<typeof recoverLog>>['earlier'];
  hardState: HardState;
  base: EntryId;
}> {
  await fileSystem.makeDirectory(DIRECTORY);
  const recovered = await recoverLog(fileSystem, DIRECTORY, keepAfter as LogIndex);
  const entries = [...recovered.entries];
  const place = {
    fileSystem,
    random: new SeededRandom(5),
    directory: DIRECTORY,
    segmentBytesMax,
  };
  const store = await RaftLogStore.open(place, recovered);
  const { hardState, base, earlier } = recovered;
  return { store, entries, earlier, hardState, base };
}

/** What the log should hold, kept the way the paper says. */
export class Model {
  base: EntryId = LOG_START;
  entries: Entry[] = [];
  hardState: HardState = NO_HARD_STATE;

  apply({ hardState, resetTo, entries }: Persist): void {
    if (hardState !== null) this.hardState = hardState;
    if (resetTo !== null) {
      this.base = resetTo;
      this.entries = [];
    }
    const first = entries[0];
    if (first !== undefined) {
      this.entries = [...this.entries.slice(0, first.index - this.base.index - 1), ...entries];
    }
  }

  get last(): EntryId {
    return this.entries.at(-1) ?? this.base;
  }

  termAt(index: number): Term {
    if (index === this.base.index) return this.base.term;
    return (this.entries[index - this.base.index - 1] as Entry).term;
  }

  copy(): Model {
    const copy = new Model();
    copy.base = this.base;
    copy.entries = this.entries;
    copy.hardState = this.hardState;
    return copy;
  }
}

/** A random persist that fits the model, as a follower under changing leaders may produce. */
export function nextPersist(model: Model, random: SeededRandom, number: number): Persist {
  const choice = random.below(20);
  let { term } = model.hardState;
  const changesTerm = choice < 4;
  if (changesTerm) term = (term + 1 + random.below(2)) as Term;
  const hardState = changesTerm ? { term, votedFor: vote(random) } : null;
  let previous = model.last.index;
  let resetTo: EntryId | null = null;
  if (choice === 0) {
    resetTo = { term, index: (model.last.index + random.below(10)) as LogIndex };
    previous = resetTo.index;
  } else if (choice < 3) {
    const back = random.below(Math.min(8, model.entries.length + 1));
    previous = (previous - back) as LogIndex;
  }
  const count = choice === 3 ? 0 : random.below(4) + (choice === 1 || choice === 2 ? 1 : 0);
  const entries = Array.from({ length: count }, (_, at): Entry => {
    const index = (previous + 1 + at) as LogIndex;
    if (random.below(6) === 0) return { kind: 'noop', term, index };
    if (random.below(10) === 0) return membership(term, index);
    const length = random.below(10) === 0 ? 700 : random.below(60);
    return {
      kind: 'data',
      term,
      index,
      data: Uint8Array.from({ length }, (_each, i) => i + index),
    };
  });
  return { number: number as PersistNumber, hardState, resetTo, entries };
}

function vote(random: SeededRandom): NodeId | null {
  return random.below(2) === 0 ? null : (random.below(3) as NodeId) || null;
}

export function membership(term: Term, index: LogIndex): Entry {
  const voters = [1, 2, index] as NodeId[];
  const configuration = { voters, outgoing: [], learners: [], learnersNext: [] };
  return { kind: 'membership', term, index, configuration };
}

export function enqueue(store: RaftLogStore, model: Model, persist: Persist): void {
  model.apply(persist);
  store.enqueue(persist, (index) => model.termAt(index));
}

export async function expectReads(store: RaftLogStore, model: Model, label: string): Promise<void> {
  for (const [at, entry] of model.entries.entries()) {
    const found = await store.read(entry.index, 200);
    expect(found.length, label).toBeGreaterThan(0);
    expect(found, label).toEqual(model.entries.slice(at, at + found.length));
  }
}
