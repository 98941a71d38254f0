import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Entry, entryBytes } from './entry.ts';
import type { LogIndex, Term } from './identifiers.ts';
import { RaftLog } from './log.ts';
import { emptyLog } from './log.ts';

type Change =
  | { readonly kind: 'append'; readonly termStep: number }
  | { readonly kind: 'truncate' | 'compact' | 'evict' | 'reset'; readonly share: number };

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), termStep: fc.nat(1) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('truncate' as const, 'compact' as const, 'evict' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
);

/** The log as a plain array, nothing forgotten but what is compacted. */
interface Twin {
  base: number;
  baseTerm: number;
  entries: Entry[];
}

function applyChange(log: RaftLog, twin: Twin, drawn: Change): void {
  const last = twin.base + twin.entries.length;
  if (drawn.kind === 'append') {
    const term = ((twin.entries.at(-1)?.term ?? twin.baseTerm) + drawn.termStep) as Term;
    const entry: Entry = { kind: 'noop', term, index: (last + 1) as LogIndex };
    twin.entries.push(entry);
    log.append(entry);
    return;
  }
  const index = (twin.base + Math.floor(drawn.share * (last - twin.base))) as LogIndex;
  switch (drawn.kind) {
    case 'truncate':
      log.truncateAfter(index);
      twin.entries = twin.entries.slice(0, index - twin.base);
      return;
    case 'compact':
      log.compact(index);
      twin.baseTerm = twin.entries[index - twin.base - 1]?.term ?? twin.baseTerm;
      twin.entries = twin.entries.slice(index - twin.base);
      twin.base = index;
      return;
    case 'evict':
      log.evict(index, 0);
      return;
    case 'reset':
  }
}

describe('the log as the core sees it', () => {
  test('agrees with a plain array about every term, window or not', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const log = emptyLog();
        const twin: Twin = { base: 0, baseTerm: 0, entries: [] };
        for (const drawn of changes) applyChange(log, twin, drawn);
        expect(log.base).toEqual({ term: twin.baseTerm, index: twin.base });
        expect(log.lastIndex).toBe(twin.base + twin.entries.length);
        for (const entry of twin.entries) {
          expect(log.termAt(entry.index)).toBe(entry.term);
          const first = twin.entries.find((other) => other.term === entry.term);
          expect(log.firstIndexOfTermAt(entry.index)).toBe(first?.index);
          const last = twin.entries.findLast((other) => other.term === entry.term);
          expect(log.lastIndexOfTerm(entry.term)).toBe(last?.index);
        }
        const inMemory = twin.entries.filter((entry) => entry.index >= log.windowFirst);
        expect(log.slice(log.windowFirst, Number.MAX_SAFE_INTEGER)).toEqual(inMemory);
        expect(log.windowBytes).toBe(inMemory.reduce((sum, entry) => sum + entryBytes(entry), 0));
      }),
    );
  });

  test('gives at least one entry, however small the limit', () => {
    const log = emptyLog();
    log.append({ kind: 'noop', term: 1 as Term, index: 1 as LogIndex });
    log.append({ kind: 'noop', term: 1 as Term, index: 2 as LogIndex });
    expect(log.slice(1 as LogIndex, 1)).toHaveLength(1);
  });

  test('keeps the term of an entry that left memory, but not the entry', () => {
    const log = emptyLog();
    log.append({ kind: 'noop', term: 3 as Term, index: 1 as LogIndex });
    log.evict(1 as LogIndex, 0);
    expect(log.termAt(1 as LogIndex)).toBe(3);
    expect(log.slice(1 as LogIndex, 100)).toBeNull();
  });

  test('refuses an entry that does not follow', () => {
    const log = new RaftLog({ term: 2 as Term, index: 5 as LogIndex });
    const follows = (index: number, term: number) => (): void =>
      log.append({ kind: 'noop', term: term as Term, index: index as LogIndex });
    expect(follows(5, 2)).toThrow('does not follow');
    expect(follows(7, 2)).toThrow('does not follow');
    expect(follows(6, 1)).toThrow('does not follow');
  });
});
