/** Counts what was done to the nodes of a simulation, so that nobody takes calm for strength. */

export const FAULT_KINDS = [
  'message lost',
  'message repeated',
  'message overtaken',
  'message cut off',
  'message clogged',
  'crash',
  'crash of all',
  'crash of a new leader',
  'pause',
  'isolation',
  'split',
  'one-way cut',
  'usurpation',
  'clogged links',
  'clock skewed',
  'clock jump',
  'slow disk',
  'flush over 1 s',
  'disk full',
  'flush failed',
  'bit flipped',
  'write lost',
  'write torn',
  'disk refused',
  'membership change',
  'leadership transfer',
  'other release',
  'producer died',
  'snapshot taken',
  'snapshot installed',
  'log compacted',
  'history compacted',
  'request repeated',
  'lease expired',
  'lease revoked',
  'watch moved',
  'watch resynchronised',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export type FaultCounts = Readonly<Partial<Record<FaultKind, number>>>;

export class FaultTally {
  readonly #counts: Partial<Record<FaultKind, number>> = {};

  add(kind: FaultKind, count: number = 1): void {
    if (count > 0) this.#counts[kind] = (this.#counts[kind] ?? 0) + count;
  }

  get counts(): FaultCounts {
    return this.#counts;
  }
}

export function sumOfFaults(left: FaultCounts, right: FaultCounts): FaultCounts {
  const sum = new FaultTally();
  for (const counts of [left, right]) {
    for (const [kind, count] of Object.entries(counts)) sum.add(kind as FaultKind, count);
  }
  return sum.counts;
}
