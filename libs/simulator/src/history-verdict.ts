/** Checks a recorded history and says in text what is wrong with it. */
import type { HistoryLine, ReadHistory } from './history-file.ts';
import { historyOf, readHistory } from './history-file.ts';
import { checkLinearizable } from './linearizability.ts';
import { UNSEEN } from './unknown-outcomes.ts';

export interface HistoryVerdict {
  readonly linearizable: boolean;
  readonly operations: number;
  /** Operations of unknown outcome. */
  readonly unknown: number;
  readonly keys: number;
  /** For a person: one line, or the offending operations. */
  readonly text: string;
}

/** @throws HistoryFormatError on a line that is no operation */
export function checkHistoryText(text: string): HistoryVerdict {
  return verdictOn(readHistory(text));
}

/** The same for a history in memory: what tests against real processes call. */
export function checkHistory(lines: readonly HistoryLine[]): HistoryVerdict {
  return verdictOn(historyOf(lines));
}

function verdictOn(history: ReadHistory): HistoryVerdict {
  const { operations, describe, describeValue } = history;
  const counts = {
    operations: operations.length,
    unknown: operations.filter(({ returnedAt }) => returnedAt === null).length,
    keys: new Set(operations.map(({ operation }) => operation.key)).size,
  };
  const verdict = checkLinearizable(operations);
  switch (verdict.kind) {
    case 'linearizable':
      return { linearizable: true, ...counts, text: 'linearizable' };
    case 'undecided': {
      const text = `undecided: key ${verdict.key} after ${verdict.configurations} configurations`;
      return { linearizable: false, ...counts, text };
    }
    case 'violation': {
      const text = [
        `not linearizable: key ${verdict.key}`,
        'explained up to:',
        ...verdict.explained.map((operation) => `  ${describe(operation)}`),
        `then the key holds ${verdict.state === UNSEEN ? 'a value that nobody read' : describeValue(verdict.state)}, and no order explains:`,
        ...verdict.unexplained.map((operation) => `  ${describe(operation)}`),
      ].join('\n');
      return { linearizable: false, ...counts, text };
    }
  }
}
