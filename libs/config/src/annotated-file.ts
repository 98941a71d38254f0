import type { KeyDeclaration } from './key.ts';
import type { AnyRows, AnySection, Schema } from './schema.ts';
import { declarationsOf, pathOf, variableOf } from './schema.ts';

/** What differs from the schema in one written file. */
export interface AnnotatedFileOptions {
  /** The comment at the top: one paragraph a string. */
  readonly header: readonly string[];
  /** Values that this file sets instead of the default, by dotted path. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** `all`: every key. `overridden`: only the keys that `overrides` names. */
  readonly keys: 'all' | 'overridden';
}

/**
 * The annotated default file: every key with its meaning, unit, range, default and reason.
 *
 * Parsing it gives the defaults (and the overrides). Rows are shown as comments.
 */
export function annotatedFile<Values>(
  schema: Schema<Values>,
  options: AnnotatedFileOptions,
): string {
  const blocks = [options.header.flatMap((paragraph) => [...comment(paragraph), '#']).slice(0, -1)];
  for (const [, declaration] of declarationsOf(schema)) {
    if (declaration.kind === 'section') blocks.push(...sectionBlocks(declaration, options));
    else if (options.keys === 'all') blocks.push(...rowBlocks(declaration));
  }
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function sectionBlocks(section: AnySection, options: AnnotatedFileOptions): string[][] {
  const keys = Object.entries(section.keys).filter(
    ([name]) => options.keys === 'all' || pathOf(section.name, name) in options.overrides,
  );
  if (keys.length === 0) return [];
  const title = [...comment(section.meaning)];
  if (section.name !== '') title.push(`[${section.name}]`);
  const blocks = [title];
  for (const [name, declaration] of keys) {
    const path = pathOf(section.name, name);
    const value = path in options.overrides ? options.overrides[path] : declaration.default;
    blocks.push([
      ...keyComment(declaration, variableOf(path)),
      `${name} = ${declaration.write(value)}`,
    ]);
  }
  return blocks;
}

function rowBlocks(rows: AnyRows): string[][] {
  const blocks = [[...comment(rows.meaning), `# [[${rows.name}]]`]];
  for (const [name, declaration] of Object.entries(rows.keys)) {
    const need = rows.required.includes(name) ? 'Must be given.' : 'May be left out.';
    blocks.push([
      ...comment(`${declaration.meaning} ${need}`),
      ...comment(`Allowed: ${declaration.range}.`),
      `# ${name} = ${declaration.write(declaration.default)}`,
    ]);
  }
  return blocks;
}

function keyComment(declaration: KeyDeclaration<unknown>, variable: string): string[] {
  const unit = declaration.unit === null ? '' : ` Unit: ${declaration.unit}.`;
  const lines = [
    ...comment(declaration.meaning),
    ...comment(`Allowed: ${declaration.range}.${unit}`),
    ...comment(`Default: ${declaration.write(declaration.default)}. ${declaration.reason}`),
    ...comment(`Environment: ${variable}`),
  ];
  if (declaration.aliases.length > 0) {
    lines.push(...comment(`Also accepted as: ${declaration.aliases.join(', ')}`));
  }
  return lines;
}

/** Comment lines of at most 98 columns. */
function comment(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > 98 && line !== '#') {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
