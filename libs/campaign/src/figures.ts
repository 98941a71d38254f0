/** The figures that a campaign prints, each beside what it must be. */

/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly value: string | number;
  /** In words; empty when any value is right. */
  readonly wanted: string;
  readonly holds: boolean;
}

/** A figure that is only told. */
export function told(name: string, value: string | number): Figure {
  return { name, value, wanted: '', holds: true };
}

/** A figure that must be at most `limit`. */
export function atMost(name: string, value: number, limit: number): Figure {
  return { name, value, wanted: limit === 0 ? '0' : `≤ ${limit}`, holds: value <= limit };
}

/** A figure that must be at least `limit`. */
export function atLeast(name: string, value: number, limit: number): Figure {
  return { name, value, wanted: `≥ ${limit}`, holds: value >= limit };
}

/** A statement that must hold. */
export function holds(name: string, verdict: boolean): Figure {
  return { name, value: verdict ? 'yes' : 'no', wanted: 'yes', holds: verdict };
}

/** True when every figure is what it must be. */
export function allHold(figures: readonly Figure[]): boolean {
  return figures.every((figure) => figure.holds);
}

/** The table, one figure a line; what is missed ends with a cross. */
export function tableOf(title: string, figures: readonly Figure[]): string {
  const names = Math.max(...figures.map(({ name }) => name.length));
  const values = Math.max(...figures.map(({ value }) => textOf(value).length));
  const lines = figures.map(({ name, value, wanted, holds: isRight }) => {
    const judged = wanted === '' ? '' : `  ${wanted}${isRight ? '' : '   ✗ MISSED'}`;
    return `  ${name.padEnd(names)}  ${textOf(value).padStart(values)}${judged}`;
  });
  return [title, ...lines].join('\n');
}

function textOf(value: string | number): string {
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(1);
}
