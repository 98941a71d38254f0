/** How the suite of shared journals gets at what it tests, and what of it is tested. */
import type { JournalFault, SharedJournal } from '@robustmq/journal';
import { JournalError } from '@robustmq/journal';

/** The suite skips exactly what is declared false here. */
export interface SharedJournalCapabilities {
  /** Message shards. */
  readonly messages: boolean;
  /** Keyed shards. */
  readonly keyed: boolean;
  /** `loseAnswers` works. */
  readonly losesAnswers: boolean;
  /** `holdWrites` works. */
  readonly holdsWrites: boolean;
}

/** Opens what is tested, once for all tests of one kind of shard. */
export type SharedJournalFactory = () => Promise<SharedJournalUnderTest>;

export interface SharedJournalUnderTest {
  /** The journal as one more process sees it; the suite closes it. */
  connect(process: string): Promise<SharedJournal>;
  /** Makes an empty message shard. */
  createShard(name: string): Promise<void>;
  /** Makes an empty keyed shard. */
  createTable(name: string): Promise<void>;
  /** The next `times` answers to appends and writes of a process do not arrive. */
  loseAnswers?(process: string, times: number): void;
  /** Appends and writes of a process do not arrive until they are released: then all that were sent. */
  holdWrites?(process: string): { release(): void };
  /** Ends everything, what `connect` gave included. */
  close(): Promise<void>;
}

/** Long enough for a busy machine: no test waits for it to pass. */
export const LONG_MS = 20_000;

/** The fault that a promise fails with; null when it does not fail. */
export async function faultOf(promise: Promise<unknown>): Promise<JournalFault | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof JournalError) return error.fault;
    throw error;
  }
}
