/** Binary and decimal units, the larger first. */
const UNITS: readonly (readonly [string, number])[] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['KB', 1e3],
  ['B', 1],
];

/** The bytes that `64 MiB`, `10GB` or `4096` stand for; null when the text is none of these. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  if (match === null) return null;
  const [, digits = '', unitName = ''] = match;
  const unit = unitName === '' ? 1 : UNITS.find(([name]) => name === unitName)?.[1];
  if (unit === undefined) return null;
  const bytes = Number(digits) * unit;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** TOML for a size: text with the largest binary unit that divides it, else the plain integer. */
export function formatBytes(bytes: number): string {
  for (const [name, unit] of UNITS.slice(0, 4)) {
    if (bytes >= unit && bytes % unit === 0) return `"${String(bytes / unit)} ${name}"`;
  }
  return String(bytes);
}
