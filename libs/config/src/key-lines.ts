/**
 * On which line does each key of a TOML file stand?
 *
 * The TOML parser returns values without positions. This scanner reads only what it must to find
 * the lines: table headers, the key before `=`, and where a value that spans lines ends. It runs
 * after the parser accepted the file, so it may assume that the syntax is right.
 *
 * Paths are dotted; rows of `[[listener]]` are counted from 0: `listener.0.port`.
 */
export type KeyLines = ReadonlyMap<string, number>;

/** Lines count from 1. A table's own line is found under its own path. */
export function keyLinesOf(text: string): KeyLines {
  const lines = new Map<string, number>();
  const rows = new Map<string, number>();
  let table = '';
  let openValue: OpenValue | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    if (openValue !== null) {
      openValue = continueValue(openValue, line);
      continue;
    }
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    if (content.startsWith('[')) {
      table = tableOf(content, rows);
      if (!lines.has(table)) lines.set(table, index + 1);
      continue;
    }
    const key = keyBeforeEquals(line);
    lines.set(table === '' ? key.path : `${table}.${key.path}`, index + 1);
    openValue = continueValue({ depth: 0, quote: '' }, line.slice(key.end));
  }
  return lines;
}

/** The line of the nearest enclosing path that is known; 1 when none is. */
export function lineOf(lines: KeyLines, path: string): number {
  for (let name = path; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const line = lines.get(name);
    if (line !== undefined) return line;
  }
  return 1;
}

/** What is still open at the end of a line: brackets, and a quote of three. */
interface OpenValue {
  readonly depth: number;
  readonly quote: '' | '"""' | "'''";
}

function tableOf(header: string, rows: Map<string, number>): string {
  const isRow = header.startsWith('[[');
  const name = keyPath(header.slice(isRow ? 2 : 1, header.indexOf(']')));
  if (!isRow) return withRowIndex(name, rows);
  const index = (rows.get(name) ?? -1) + 1;
  rows.set(name, index);
  return `${name}.${String(index)}`;
}

/** `[listener.tls]` after the second `[[listener]]` means `listener.1.tls`. */
function withRowIndex(name: string, rows: ReadonlyMap<string, number>): string {
  for (const [row, index] of rows) {
    if (name.startsWith(`${row}.`)) return `${row}.${String(index)}${name.slice(row.length)}`;
  }
  return name;
}

function keyBeforeEquals(line: string): { readonly path: string; readonly end: number } {
  let quote = '';
  let end = 0;
  for (; end < line.length; end++) {
    const letter = line[end] ?? '';
    if (quote !== '') {
      if (letter === quote) quote = '';
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '=') break;
  }
  return { path: keyPath(line.slice(0, end)), end: end + 1 };
}

/** `a . "b c"` becomes `a.b c`. */
function keyPath(text: string): string {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|([^\s."']+)/g)]
    .map(([, double, single, bare]) => double ?? single ?? bare ?? '')
    .join('.');
}

/** Follows brackets and quotes to the end of the line; null when the value ends on it. */
function continueValue(open: OpenValue, line: string): OpenValue | null {
  let { depth, quote }: { depth: number; quote: OpenValue['quote'] } = open;
  for (let at = 0; at < line.length; at++) {
    const three = line.slice(at, at + 3);
    if (quote !== '') {
      if (quote === '"""' && line[at] === '\\') at++;
      else if (three === quote) {
        quote = '';
        at += 2;
      }
    } else if (three === '"""' || three === "'''") {
      quote = three;
      at += 2;
    } else if (line[at] === '"' || line[at] === "'") at = endOfString(line, at);
    else if (line[at] === '#') break;
    else if (line[at] === '[' || line[at] === '{') depth++;
    else if (line[at] === ']' || line[at] === '}') depth--;
  }
  return depth > 0 || quote !== '' ? { depth, quote } : null;
}

function endOfString(line: string, start: number): number {
  const quote = line[start];
  for (let at = start + 1; at < line.length; at++) {
    if (quote === '"' && line[at] === '\\') at++;
    else if (line[at] === quote) return at;
  }
  return line.length;
}
