/** Reads of a replica that have damage mended before it is told. */
import {
  JournalError,
  type JournalFault,
  type JournalReader,
  type JournalRecord,
  type Offset,
} from '@robustmq/journal';
import { RaftError } from '@robustmq/raft-driver';
import type { FoundDamage } from './segment-scrub.ts';

/** A segment in which several batches are damaged is mended at once; more rounds meet a dying disk. */
const ROUNDS_MAX = 3;

type Corruption = Extract<JournalFault, { readonly code: 'JOURNAL_RECORD_CORRUPT' }>;

/** @returns what stays damaged in the file that the fault names */
export type MendFile = (fault: Corruption) => Promise<readonly FoundDamage[]>;

/**
 * Carries out a read, and again after what it met is mended.
 *
 * @throws JournalError JOURNAL_RECORD_CORRUPT  no other replica has what is damaged
 * @throws RaftError RAFT_UNAVAILABLE  one that may have it does not answer
 */
export async function readMended<Result>(
  mend: MendFile,
  read: () => Promise<Result>,
): Promise<Result> {
  for (let round = 1; ; round += 1) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof JournalError) || error.fault.code !== 'JOURNAL_RECORD_CORRUPT') {
        throw error;
      }
      const left = await mend(error.fault);
      const waiting = left.find(({ outcome }) => outcome === 'unanswered');
      if (waiting !== undefined) throw unanswered(waiting);
      if (left.length > 0 || round === ROUNDS_MAX) throw error;
    }
  }
}

function unanswered({ file, position, detail }: FoundDamage): RaftError {
  const sentence = `${file} is damaged at byte ${position}, and not mended yet: ${detail}`;
  return new RaftError({ code: 'RAFT_UNAVAILABLE', detail: sentence });
}

/** A reader on {@link readMended}; where it stands, a new one goes on after a failure. */
export class MendingReader implements JournalReader {
  readonly #mend: MendFile;
  readonly #open: (from: Offset) => JournalReader;
  #reader: JournalReader;

  constructor(from: Offset, open: (from: Offset) => JournalReader, mend: MendFile) {
    this.#mend = mend;
    this.#open = open;
    this.#reader = open(from);
  }

  get position(): Offset {
    return this.#reader.position;
  }

  read(recordsMax: number, bytesMax: number): Promise<readonly JournalRecord[]> {
    return readMended(this.#mend, async () => {
      try {
        return await this.#reader.read(recordsMax, bytesMax);
      } catch (error) {
        this.#reader = this.#open(this.#reader.position);
        throw error;
      }
    });
  }
}
