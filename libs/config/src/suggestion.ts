/**
 * The known name that an unknown one was probably meant to be; null when none is near.
 *
 * Near means at most a third of the letters differ. Cost: O(names · length²), paid for mistakes only.
 */
export function nearestName(unknown: string, names: Iterable<string>): string | null {
  let nearest: string | null = null;
  let distanceMin = Math.floor(unknown.length / 3) + 1;
  for (const name of names) {
    const distance = editDistance(unknown, name);
    if (distance >= distanceMin) continue;
    distanceMin = distance;
    nearest = name;
  }
  return nearest;
}

/** How many letters must be inserted, removed or replaced to turn `source` into `target` (Levenshtein). */
export function editDistance(source: string, target: string): number {
  let previous = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let row = 1; row <= source.length; row++) {
    const current = [row];
    for (let column = 1; column <= target.length; column++) {
      const replaced =
        (previous[column - 1] ?? 0) + (source[row - 1] === target[column - 1] ? 0 : 1);
      const removed = (previous[column] ?? 0) + 1;
      const inserted = (current[column - 1] ?? 0) + 1;
      current.push(Math.min(replaced, removed, inserted));
    }
    previous = current;
  }
  return previous[target.length] ?? 0;
}
