/** A broken invariant: a mistake of the programmer, never of the input. Nobody catches it to go on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Crashes when an invariant does not hold. The message says which one, with the values. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The arm of an exhaustive `switch` that the compiler proves impossible. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value: ${JSON.stringify(value)}`);
}
