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

/**
 * How many letters must be inserted, removed, replaced or swapped with their neighbour to turn
 * `source` into `target` (optimal string alignment).
 */
export function editDistance(source: string, target: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let row = 1; row <= source.length; row++) {
    const current = [row];
    for (let column = 1; column <= target.length; column++) {
      const isSame = source[row - 1] === target[column - 1];
      const isSwapped =
        source[row - 1] === target[column - 2] && source[row - 2] === target[column - 1];
      current.push(
        Math.min(
          (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          isSwapped ? (beforePrevious[column - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[target.length] ?? 0;
}
