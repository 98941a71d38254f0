import type { Problem } from './problem.ts';
import type { Configuration } from './resolve.ts';

/** A key whose value can't work, or must not be, beside the values of others; and why. */
export interface KeyFault {
  readonly key: string;
  /** Goes on after the key's name: `is empty, but TLS needs it`. */
  readonly message: string;
}

/** The same with the place where the value was set. */
export function refusedCombination(
  configuration: Configuration<unknown>,
  { key, message }: KeyFault,
): Problem {
  const origin = configuration.originOf(key);
  return { severity: 'error', code: 'CONFIG_COMBINATION_REFUSED', origin, key, message };
}
