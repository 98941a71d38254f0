import type { Result } from '@robustmq/errors';

/** What a value should have been, in words that continue "expected …". */
export interface ValueFault {
  readonly expected: string;
}

/**
 * One key: everything an operator needs to know about it, and how its value is read.
 *
 * The same declaration checks files and environment variables, writes the annotated file and
 * answers `config explain`, so that the four cannot disagree.
 */
export interface KeyDeclaration<Value> {
  readonly default: Value;
  /** What the key does: one sentence or a few. */
  readonly meaning: string;
  /** Why the default is what it is, and what a wrong value costs. */
  readonly reason: string;
  /** What is allowed, in words that continue "expected …": `an integer from 0 to 65535`. */
  readonly range: string;
  /** The unit of a number; null where the value is a name, a path or a count. */
  readonly unit: string | null;
  /** Other dotted keys, each from the root, that mean the same. */
  readonly aliases: readonly string[];
  /** Values of secret keys are never printed. */
  readonly secret: boolean;
  /** Checks a value as TOML gives it. */
  readonly read: (raw: unknown) => Result<Value, ValueFault>;
  /** The TOML value that the text of an environment variable stands for; `read` still checks it. */
  readonly fromText: (text: string) => unknown;
  /** The value as TOML. */
  readonly write: (value: Value) => string;
}

/** What every key says about itself. */
export interface KeyWords<Value> {
  readonly default: Value;
  readonly meaning: string;
  readonly reason: string;
  readonly unit?: string;
  readonly aliases?: readonly string[];
  readonly secret?: boolean;
}

/** How the values of a key are read and written; the words are added by {@link declareKey}. */
export type KeyForm<Value> = Pick<KeyDeclaration<Value>, 'range' | 'read' | 'fromText' | 'write'>;

/** Joins words and form; the optional words get their defaults here and nowhere else. */
export function declareKey<Value>(
  words: KeyWords<Value>,
  form: KeyForm<Value>,
): KeyDeclaration<Value> {
  return {
    default: words.default,
    meaning: words.meaning,
    reason: words.reason,
    unit: words.unit ?? null,
    aliases: words.aliases ?? [],
    secret: words.secret ?? false,
    ...form,
  };
}
