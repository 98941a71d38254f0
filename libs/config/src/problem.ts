/** Where a value, or a mistake, comes from. Lines count from 1. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly variable: string };

/** What can be wrong with one key. */
export type ProblemCode =
  | 'CONFIG_FILE_UNREADABLE'
  | 'CONFIG_SYNTAX'
  | 'CONFIG_UNKNOWN_KEY'
  | 'CONFIG_VALUE_REFUSED'
  | 'CONFIG_KEY_MISSING'
  | 'CONFIG_KEY_TWICE'
  | 'CONFIG_KEY_WITHOUT_EFFECT'
  | 'CONFIG_COMBINATION_REFUSED';

/**
 * One finding. An `error` keeps the configuration from being used; a `warning` does not.
 *
 * `message` is a sentence that names the value and what is allowed; it never holds a secret.
 */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly code: ProblemCode;
  readonly origin: Origin;
  /** The dotted key, such as `network.tcp_port`; empty when the whole file is meant. */
  readonly key: string;
  readonly message: string;
}

/** `config/standalone.toml:12`, `environment variable X`, or `default`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${origin.file}:${String(origin.line)}`;
    case 'environment':
      return `environment variable ${origin.variable}`;
  }
}

/** One line for an operator: place, severity, key, sentence. */
export function describeProblem(problem: Problem): string {
  const key = problem.key === '' ? '' : ` ${problem.key}:`;
  return `${describeOrigin(problem.origin)}: ${problem.severity}:${key} ${problem.message}`;
}
