import type { KeyDeclaration } from './key.ts';

/** A `[name]` table; `name` is empty for the keys at the top of the file. */
export interface SectionDeclaration<Values> {
  readonly kind: 'section';
  readonly name: string;
  readonly meaning: string;
  readonly keys: { readonly [Key in keyof Values]-?: KeyDeclaration<Values[Key]> };
}

/**
 * A `[[name]]` array of tables. A row holds only the keys that were written: what is absent is
 * taken from elsewhere, as the section's meaning says.
 */
export interface RowsDeclaration<Row> {
  readonly kind: 'rows';
  readonly name: string;
  readonly meaning: string;
  readonly keys: {
    readonly [Key in keyof Row]-?: KeyDeclaration<Exclude<Row[Key], undefined>>;
  };
  readonly required: readonly (keyof Row & string)[];
}

/** A key that older files hold: accepted, without effect, and said so. */
export interface ObsoleteKey {
  /** Dotted, from the root. */
  readonly path: string;
  readonly reason: string;
}

/** The declaration that fits one field of `Values`: an array is a list of rows. */
export type DeclarationOf<Values> = Values extends readonly (infer Row)[]
  ? RowsDeclaration<Row>
  : SectionDeclaration<Values>;

/** Everything one kind of file may hold. Sections are declared by the packages that own them. */
export interface Schema<Values> {
  readonly sections: { readonly [Name in keyof Values]: DeclarationOf<Values[Name]> };
  readonly obsolete: readonly ObsoleteKey[];
}

/** One key of a `[section]`, with its dotted path and its environment variable. */
export interface SchemaKey {
  /** The name of the field of `Values` that holds the section. */
  readonly field: string;
  readonly section: string;
  readonly name: string;
  readonly path: string;
  readonly variable: string;
  readonly declaration: KeyDeclaration<unknown>;
}

/** A section with its types erased, for the code that treats all sections alike. */
export type AnySection = SectionDeclaration<Record<string, unknown>>;
/** Rows with their types erased. */
export type AnyRows = RowsDeclaration<Record<string, unknown>>;

export const ENVIRONMENT_PREFIX = 'ROBUST_MQ_SERVER_';

/** `network.tcp_port`; a key at the top has no section. */
export function pathOf(section: string, name: string): string {
  return section === '' ? name : `${section}.${name}`;
}

/** `ROBUST_MQ_SERVER_NETWORK_TCP_PORT` for `network.tcp_port`. */
export function variableOf(path: string): string {
  return ENVIRONMENT_PREFIX + path.replaceAll('.', '_').toUpperCase();
}

/** Every section and every list of rows, in the order of declaration, with the field that holds it. */
export function declarationsOf<Values>(
  schema: Schema<Values>,
): readonly (readonly [field: string, declaration: AnySection | AnyRows])[] {
  // The mapped type guarantees that every field is one of the two; the compiler cannot see it here.
  return Object.entries(schema.sections) as unknown as readonly (readonly [
    string,
    AnySection | AnyRows,
  ])[];
}

/** Every key of every section (not of rows), in the order of declaration. */
export function keysOf<Values>(schema: Schema<Values>): readonly SchemaKey[] {
  return declarationsOf(schema).flatMap(([field, declaration]) => {
    if (declaration.kind === 'rows') return [];
    return Object.entries(declaration.keys).map(([name, key]) => {
      const path = pathOf(declaration.name, name);
      return {
        field,
        section: declaration.name,
        name,
        path,
        variable: variableOf(path),
        declaration: key,
      };
    });
  });
}
