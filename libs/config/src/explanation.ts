import type { Setting } from './resolve.ts';
import type { Schema } from './schema.ts';
import { declarationsOf, keysOf, pathOf, variableOf } from './schema.ts';
import type { Origin } from './problem.ts';
import { describeOrigin } from './problem.ts';
import type { KeyDeclaration } from './key.ts';

/** What stands in for the value of a secret key that is set. */
export const REDACTED = '(secret)';

/** A setting as it may be printed: no secret in it. */
export interface EffectiveSetting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: Origin;
  readonly originText: string;
}

/** The effective configuration, in the order of the schema, with secrets redacted. */
export function effectiveSettings(settings: readonly Setting[]): readonly EffectiveSetting[] {
  return settings.map((setting) => ({
    key: setting.path,
    value: redacted(setting.declaration, setting.value),
    origin: setting.origin,
    originText: describeOrigin(setting.origin),
  }));
}

/** Everything known about one key. */
export interface KeyExplanation {
  readonly key: string;
  readonly variable: string;
  readonly meaning: string;
  readonly reason: string;
  readonly range: string;
  readonly unit: string | null;
  /** The default as TOML. */
  readonly default: string;
  readonly aliases: readonly string[];
}

/** Explains every key whose dotted path, or an alias of it, is `name` or lies under it; all when it is empty. */
export function explainKeys<Values>(
  schema: Schema<Values>,
  name: string,
): readonly KeyExplanation[] {
  const asked = (path: string): boolean =>
    name === '' || path === name || path.startsWith(`${name}.`);
  const ofSections = keysOf(schema)
    .filter((key) => [key.path, ...key.declaration.aliases].some(asked))
    .map((key) => explanationOf(key.path, key.variable, key.declaration));
  const ofRows = declarationsOf(schema).flatMap(([, rows]) =>
    rows.kind === 'section'
      ? []
      : Object.entries(rows.keys)
          .filter(([key]) => asked(pathOf(rows.name, key)))
          .map(([key, declaration]) =>
            explanationOf(pathOf(rows.name, key), variableOf(rows.name), declaration),
          ),
  );
  return [...ofSections, ...ofRows];
}

function explanationOf(
  key: string,
  variable: string,
  declaration: KeyDeclaration<unknown>,
): KeyExplanation {
  return {
    key,
    variable,
    meaning: declaration.meaning,
    reason: declaration.reason,
    range: declaration.range,
    unit: declaration.unit,
    default: declaration.write(redacted(declaration, declaration.default)),
    aliases: declaration.aliases,
  };
}

function redacted(declaration: KeyDeclaration<unknown>, value: unknown): unknown {
  return declaration.secret && value !== '' ? REDACTED : value;
}
