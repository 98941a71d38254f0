import { fail, succeed } from '@robustmq/errors';
import type { Result } from '@robustmq/errors';
import type { KeyDeclaration } from './key.ts';
import type { Origin, Problem } from './problem.ts';
import type { AnyRows, Schema, SchemaKey } from './schema.ts';
import { declarationsOf, ENVIRONMENT_PREFIX, keysOf } from './schema.ts';
import { nearestName } from './suggestion.ts';
import { isTable, parseToml } from './toml-document.ts';
import type { ConfigurationText } from './toml-document.ts';
import { lineOf } from './key-lines.ts';
import type { KeyLines } from './key-lines.ts';
import { knownNamesOf, writtenInEnvironment, writtenInFile } from './written-values.ts';
import type { WrittenValue, WrittenValues } from './written-values.ts';

/** Where values may come from. The environment wins over the file, the file over the default. */
export interface ConfigurationSource {
  /** null: there is no file, and every default holds. */
  readonly file: ConfigurationText | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One key with the value that holds and the place it comes from. */
export interface Setting {
  readonly path: string;
  readonly variable: string;
  readonly value: unknown;
  readonly origin: Origin;
  readonly declaration: KeyDeclaration<unknown>;
}

/** A checked configuration: every key has a value. */
export interface Configuration<Values> {
  readonly values: Values;
  readonly settings: readonly Setting[];
  readonly warnings: readonly Problem[];
  /** Where the value of a dotted key comes from; rows are found as `listener.0.port`. */
  readonly originOf: (path: string) => Origin;
}

/**
 * Checks everything that was written against the schema and fills in the defaults.
 *
 * Pure: reads neither files nor the process's environment.
 *
 * @returns the configuration, or every problem at once (warnings among them)
 */
export function resolveConfiguration<Values>(
  schema: Schema<Values>,
  source: ConfigurationSource,
): Result<Configuration<Values>, readonly Problem[]> {
  const names = knownNamesOf(schema);
  const parsed = source.file === null ? null : parseToml(source.file);
  if (parsed?.ok === false) return fail([parsed.fault]);
  const document = parsed?.value ?? null;
  const file = document === null ? nothingWritten() : writtenInFile(document, names);
  const environment = writtenInEnvironment(variablesOf(source.environment), names);
  const problems = [...file.problems, ...environment.problems];

  const settings = keysOf(schema).map((key) => settingOf(key, { file, environment }, problems));
  const origins = new Map(settings.map((setting) => [setting.path, setting.origin]));
  const rows = new Map<string, readonly unknown[]>();
  for (const [, declaration] of declarationsOf(schema)) {
    if (declaration.kind !== 'rows') continue;
    const written = environment.rows.get(declaration.name) ?? file.rows.get(declaration.name);
    const context = { lines: document?.lines ?? new Map<string, number>(), origins, problems };
    rows.set(
      declaration.name,
      written === undefined ? [] : readRows(declaration, written, context),
    );
  }
  if (problems.some((problem) => problem.severity === 'error')) return fail(problems);
  return succeed({
    values: assemble(schema, settings, rows),
    settings,
    warnings: problems,
    originOf: (path) => origins.get(path) ?? { kind: 'default' },
  });
}

function nothingWritten(): WrittenValues {
  return { values: new Map(), rows: new Map(), problems: [] };
}

function variablesOf(
  environment: Readonly<Record<string, string | undefined>>,
): readonly (readonly [string, string])[] {
  return Object.entries(environment).flatMap(([name, text]) =>
    name.startsWith(ENVIRONMENT_PREFIX) && text !== undefined ? [[name, text] as const] : [],
  );
}

function settingOf(
  key: SchemaKey,
  written: { readonly file: WrittenValues; readonly environment: WrittenValues },
  problems: Problem[],
): Setting {
  const inFile = written.file.values.get(key.path) ?? [];
  const inEnvironment = written.environment.values.get(key.path) ?? [];
  for (const values of [inFile, inEnvironment]) {
    const [first, second] = values;
    if (first !== undefined && second !== undefined) problems.push(writtenTwice(first, second));
  }
  const fileValue = inFile[0] === undefined ? null : checked(key, inFile[0], problems);
  const environmentValue =
    inEnvironment[0] === undefined ? null : checked(key, inEnvironment[0], problems);
  const holds = environmentValue ?? fileValue;
  return {
    path: key.path,
    variable: key.variable,
    declaration: key.declaration,
    value: holds === null ? key.declaration.default : holds.value,
    origin: holds === null ? { kind: 'default' } : holds.origin,
  };
}

function checked(
  key: { readonly declaration: KeyDeclaration<unknown> },
  written: WrittenValue,
  problems: Problem[],
): { readonly value: unknown; readonly origin: Origin } | null {
  const read = key.declaration.read(written.raw);
  if (read.ok) return { value: read.value, origin: written.origin };
  const shown = key.declaration.secret ? '(secret)' : showRaw(written.raw);
  problems.push({
    severity: 'error',
    code: 'CONFIG_VALUE_REFUSED',
    origin: written.origin,
    key: written.path,
    message: `is ${shown}, expected ${read.fault.expected}`,
  });
  return null;
}

function writtenTwice(first: WrittenValue, second: WrittenValue): Problem {
  return {
    severity: 'error',
    code: 'CONFIG_KEY_TWICE',
    origin: second.origin,
    key: second.path,
    message: `says the same as ${first.path}; keep one of them`,
  };
}

interface RowContext {
  readonly lines: KeyLines;
  readonly origins: Map<string, Origin>;
  readonly problems: Problem[];
}

function readRows(
  declaration: AnyRows,
  written: WrittenValue,
  context: RowContext,
): readonly unknown[] {
  if (!Array.isArray(written.raw) || !written.raw.every(isTable)) {
    context.problems.push({
      severity: 'error',
      code: 'CONFIG_VALUE_REFUSED',
      origin: written.origin,
      key: declaration.name,
      message: `is ${showRaw(written.raw)}, expected one [[${declaration.name}]] table each (in the environment: a JSON array of objects)`,
    });
    return [];
  }
  return written.raw.map((row: Readonly<Record<string, unknown>>, index) =>
    readRow(declaration, { row, path: `${declaration.name}.${String(index)}`, written }, context),
  );
}

function readRow(
  declaration: AnyRows,
  source: {
    readonly row: Readonly<Record<string, unknown>>;
    readonly path: string;
    readonly written: WrittenValue;
  },
  context: RowContext,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  context.origins.set(source.path, originAt(source.path, source.written, context));
  for (const [name, raw] of Object.entries(source.row)) {
    const path = `${source.path}.${name}`;
    const origin = originAt(path, source.written, context);
    const key = declaration.keys[name];
    if (key === undefined) {
      context.problems.push(unknownRowKey({ declaration, name, path }, origin));
      continue;
    }
    const read = checked({ declaration: key }, { path, raw, origin }, context.problems);
    if (read !== null) values[name] = read.value;
    context.origins.set(path, origin);
  }
  for (const name of declaration.required) {
    if (name in source.row) continue;
    context.problems.push({
      severity: 'error',
      code: 'CONFIG_KEY_MISSING',
      origin: originAt(source.path, source.written, context),
      key: source.path,
      message: `lacks the key ${name}, expected ${declaration.keys[name]?.range ?? 'a value'}`,
    });
  }
  return Object.freeze(values);
}

function unknownRowKey(
  place: { readonly declaration: AnyRows; readonly name: string; readonly path: string },
  origin: Origin,
): Problem {
  const near = nearestName(place.name, Object.keys(place.declaration.keys));
  const hint = near === null ? '' : `; did you mean ${near}?`;
  return {
    severity: 'error',
    code: 'CONFIG_UNKNOWN_KEY',
    origin,
    key: place.path,
    message: `is not a known key${hint}`,
  };
}

function originAt(path: string, written: WrittenValue, context: RowContext): Origin {
  if (written.origin.kind !== 'file') return written.origin;
  return { ...written.origin, line: lineOf(context.lines, path) };
}

function assemble<Values>(
  schema: Schema<Values>,
  settings: readonly Setting[],
  rows: ReadonlyMap<string, readonly unknown[]>,
): Values {
  const byPath = new Map(settings.map((setting) => [setting.path, setting.value]));
  const values: Record<string, unknown> = {};
  for (const key of keysOf(schema)) {
    const section = (values[key.field] ??= {}) as Record<string, unknown>;
    section[key.name] = byPath.get(key.path);
  }
  for (const [field, declaration] of declarationsOf(schema)) {
    if (declaration.kind === 'rows')
      values[field] = Object.freeze(rows.get(declaration.name) ?? []);
    else Object.freeze((values[field] ??= {}));
  }
  // Every key of the schema was read by its own declaration, whose type is that of the field.
  return Object.freeze(values) as Values;
}

function showRaw(raw: unknown): string {
  const text = JSON.stringify(raw) ?? String(raw);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
