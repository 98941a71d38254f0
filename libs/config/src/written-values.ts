import type { AnyRows, ObsoleteKey, SchemaKey } from './schema.ts';
import { declarationsOf, keysOf, variableOf } from './schema.ts';
import type { Schema } from './schema.ts';
import type { Origin, Problem } from './problem.ts';
import { nearestName } from './suggestion.ts';
import { lineOf } from './key-lines.ts';
import { isTable } from './toml-document.ts';
import type { TomlDocument } from './toml-document.ts';
import { jsonOrText } from './key-kinds.ts';

/** Every name that a file or the environment may use, by the name used there. */
export interface KnownNames {
  /** Dotted paths, aliases included. */
  readonly keys: ReadonlyMap<string, SchemaKey>;
  /** Lists of rows by name. */
  readonly rows: ReadonlyMap<string, AnyRows>;
  /** By dotted path; a path that ends with `.*` stands for a whole section. */
  readonly obsolete: ReadonlyMap<string, ObsoleteKey>;
}

/** A value that somebody wrote, not yet checked. */
export interface WrittenValue {
  /** The path that was used: the key's own, or an alias. */
  readonly path: string;
  readonly raw: unknown;
  readonly origin: Origin;
}

/** What was written: values by canonical path, lists of rows by name, and what was wrong. */
export interface WrittenValues {
  readonly values: Map<string, WrittenValue[]>;
  readonly rows: Map<string, WrittenValue>;
  readonly problems: Problem[];
}

/** Indexes a schema by every accepted name. */
export function knownNamesOf<Values>(schema: Schema<Values>): KnownNames {
  const keys = new Map<string, SchemaKey>();
  for (const key of keysOf(schema)) {
    for (const path of [key.path, ...key.declaration.aliases]) keys.set(path, key);
  }
  const rows = new Map<string, AnyRows>();
  for (const [, declaration] of declarationsOf(schema)) {
    if (declaration.kind === 'rows') rows.set(declaration.name, declaration);
  }
  return { keys, rows, obsolete: new Map(schema.obsolete.map((key) => [key.path, key])) };
}

/** Sorts the values of a file by the keys they belong to; unknown and obsolete ones become problems. */
export function writtenInFile(document: TomlDocument, names: KnownNames): WrittenValues {
  const written: WrittenValues = { values: new Map(), rows: new Map(), problems: [] };
  collectTable(document.root, '', { document, names, written });
  return written;
}

interface Collection {
  readonly document: TomlDocument;
  readonly names: KnownNames;
  readonly written: WrittenValues;
}

function collectTable(
  table: Readonly<Record<string, unknown>>,
  prefix: string,
  collection: Collection,
): void {
  const { document, names, written } = collection;
  for (const [name, raw] of Object.entries(table)) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const line = lineOf(document.lines, path);
    const origin: Origin = { kind: 'file', file: document.file, line };
    if (sortValue({ path, raw, origin }, names, written)) continue;
    if (isTable(raw) && isSectionPath(path, names)) collectTable(raw, path, collection);
    else written.problems.push(unknownKey(path, origin, names));
  }
}

/** Sorts the variables of the environment that begin with our prefix. */
export function writtenInEnvironment(
  variables: readonly (readonly [name: string, text: string])[],
  names: KnownNames,
): WrittenValues {
  const written: WrittenValues = { values: new Map(), rows: new Map(), problems: [] };
  const paths = new Map<string, string>();
  for (const path of [...names.obsolete.keys(), ...names.rows.keys(), ...names.keys.keys()]) {
    paths.set(variableOf(path), path);
  }
  for (const [variable, text] of variables) {
    const origin: Origin = { kind: 'environment', variable };
    const path = paths.get(variable) ?? wholeObsoleteSection(variable, names);
    if (path === null) {
      written.problems.push(unknownVariable(variable, paths.keys()));
      continue;
    }
    const raw = names.keys.get(path)?.declaration.fromText(text) ?? jsonOrText(text);
    sortValue({ path, raw, origin }, names, written);
  }
  return written;
}

function sortValue(value: WrittenValue, names: KnownNames, written: WrittenValues): boolean {
  const key = names.keys.get(value.path);
  if (key !== undefined) {
    const known = written.values.get(key.path);
    if (known === undefined) written.values.set(key.path, [value]);
    else known.push(value);
    return true;
  }
  if (names.rows.has(value.path)) {
    written.rows.set(value.path, value);
    return true;
  }
  const obsolete = obsoleteAt(value.path, names);
  if (obsolete === undefined) return false;
  written.problems.push({
    severity: 'warning',
    code: 'CONFIG_KEY_WITHOUT_EFFECT',
    origin: value.origin,
    key: value.path,
    message: `has no effect: ${obsolete.reason}`,
  });
  return true;
}

/** An obsolete section is told once as a whole, unless an alias still lives in it. */
function obsoleteAt(path: string, names: KnownNames): ObsoleteKey | undefined {
  const section = path.slice(0, Math.max(0, path.lastIndexOf('.')));
  const found = names.obsolete.get(path) ?? names.obsolete.get(`${section}.*`);
  if (found !== undefined) return found;
  const holdsKeys = [...names.keys.keys()].some((known) => known.startsWith(`${path}.`));
  return holdsKeys ? undefined : names.obsolete.get(`${path}.*`);
}

function isSectionPath(path: string, names: KnownNames): boolean {
  for (const known of [...names.keys.keys(), ...names.obsolete.keys()]) {
    if (known.startsWith(`${path}.`)) return true;
  }
  return false;
}

function wholeObsoleteSection(variable: string, names: KnownNames): string | null {
  for (const path of names.obsolete.keys()) {
    if (path.endsWith('.*') && variable.startsWith(`${variableOf(path.slice(0, -2))}_`)) {
      return path;
    }
  }
  return null;
}

function unknownKey(path: string, origin: Origin, names: KnownNames): Problem {
  const known = [...names.keys.keys(), ...names.rows.keys()];
  const [, leaf = path] = /\.([^.]+)$/.exec(path) ?? [];
  const elsewhere = known.find((name) => name.endsWith(`.${leaf}`) || name === leaf);
  const suggestion = nearestName(path, known) ?? elsewhere ?? sectionNear(path, known);
  const hint = suggestion === null ? '' : `; did you mean ${suggestion}?`;
  return {
    severity: 'error',
    code: 'CONFIG_UNKNOWN_KEY',
    origin,
    key: path,
    message: `is not a known key${hint}`,
  };
}

function sectionNear(path: string, known: readonly string[]): string | null {
  const sections = new Set(
    known.filter((name) => name.includes('.')).map((name) => name.split('.')[0] ?? ''),
  );
  const section = nearestName(path.split('.')[0] ?? path, sections);
  return section === null ? null : `[${section}]`;
}

function unknownVariable(variable: string, known: Iterable<string>): Problem {
  const suggestion = nearestName(variable, known);
  const hint = suggestion === null ? '' : `; did you mean ${suggestion}?`;
  return {
    severity: 'error',
    code: 'CONFIG_UNKNOWN_KEY',
    origin: { kind: 'environment', variable },
    key: '',
    message: `is not a known variable${hint}`,
  };
}
