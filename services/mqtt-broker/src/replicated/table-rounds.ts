import { CommitRound } from './commit-round.ts';
import type { TableWriter } from './table-writer.ts';

/** A table that does not answer is written to once more when it does: what comes meanwhile gathers. */
const ROUNDS_MAX = 4;

interface Rounds {
  gathering: CommitRound;
  /** Something was put that is not written. */
  isTouched: boolean;
  /** Writes under way. */
  unfinished: number;
}

/** The writes of this broker to keyed shards, each with what waits for it. */
export class TableRounds {
  readonly #tables: ReadonlyMap<TableWriter, Rounds>;
  readonly #finished: (round: CommitRound) => void;

  constructor(tables: readonly TableWriter[], finished: (round: CommitRound) => void) {
    this.#finished = finished;
    this.#tables = new Map(
      tables.map((table) => [
        table,
        { gathering: new CommitRound(), isTouched: false, unfinished: 0 },
      ]),
    );
  }

  /** What waits for everything that was put into the table up to now. */
  gathering(table: TableWriter): CommitRound {
    return this.#of(table).gathering;
  }

  /** Something is put into the table in this turn, or was. */
  touch(table: TableWriter): void {
    this.#of(table).isTouched = true;
  }

  /** Everything that was put with a round is written. */
  isIdleAt(table: TableWriter): boolean {
    const { isTouched, unfinished, gathering } = this.#of(table);
    return !isTouched && unfinished === 0 && gathering.isEmpty;
  }

  get isIdle(): boolean {
    for (const table of this.#tables.keys()) if (!this.isIdleAt(table)) return false;
    return true;
  }

  flush(): void {
    for (const [table, rounds] of this.#tables) {
      const { gathering, unfinished, isTouched } = rounds;
      if (!isTouched && gathering.isEmpty) continue;
      if (unfinished >= ROUNDS_MAX) {
        table.start();
        continue;
      }
      rounds.gathering = new CommitRound();
      rounds.isTouched = false;
      // Nothing is to be written: it was only to wait for what is written anyway.
      if (!isTouched && unfinished === 0) {
        this.#finished(gathering);
        continue;
      }
      rounds.unfinished += 1;
      table.afterWrite(() => {
        rounds.unfinished -= 1;
        this.#finished(gathering);
      });
      table.start();
    }
  }

  #of(table: TableWriter): Rounds {
    return this.#tables.get(table) as Rounds;
  }
}
