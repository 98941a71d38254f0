const NAMES = ['setTimeout', 'setInterval', 'setImmediate'] as const;

/**
 * Whoever sets a timer of the machine during a simulation would make its history depend on the machine.
 *
 * @param called  told of each that is set; it is set all the same
 * @returns what allows them again
 */
export function forbidRealTimers(called: (what: string) => void): () => void {
  const real = NAMES.map((name) => [name, globalThis[name]] as const);
  for (const [name, timer] of real) {
    const told = (...given: unknown[]): unknown => {
      called(name);
      return Reflect.apply(timer, globalThis, given);
    };
    Object.defineProperty(globalThis, name, { value: told, configurable: true, writable: true });
  }
  return () => {
    for (const [name, value] of real) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  };
}
