import { fail, succeed } from '@robustmq/errors';
import { parse, TomlError } from 'smol-toml';
import { formatBytes, parseBytes } from './byte-size.ts';
import { declareKey } from './key.ts';
import type { KeyDeclaration, KeyWords } from './key.ts';

/** Limits of a number, both allowed themselves. */
export interface NumberRange {
  readonly minimum: number;
  readonly maximum: number;
}

/** `true` or `false`. */
export function booleanKey(words: KeyWords<boolean>): KeyDeclaration<boolean> {
  const range = 'true or false';
  return declareKey(words, {
    range,
    read: (raw) => (typeof raw === 'boolean' ? succeed(raw) : fail({ expected: range })),
    fromText: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    write: String,
  });
}

/** A whole number within a range. */
export function integerKey(words: KeyWords<number> & NumberRange): KeyDeclaration<number> {
  const range = `an integer from ${String(words.minimum)} to ${String(words.maximum)}`;
  return declareKey(words, {
    range,
    read: (raw) => (isIntegerWithin(raw, words) ? succeed(raw) : fail({ expected: range })),
    fromText: numberOf,
    write: String,
  });
}

/** A whole number within a range, or one of a few words such as `off` or `auto`. */
export function integerOrWordKey<Word extends string>(
  words: KeyWords<number | Word> & NumberRange & { readonly word: Word },
): KeyDeclaration<number | Word> {
  const range = `an integer from ${String(words.minimum)} to ${String(words.maximum)}, or "${words.word}"`;
  return declareKey(words, {
    range,
    read: (raw) => {
      if (raw === words.word) return succeed(words.word);
      return isIntegerWithin(raw, words) ? succeed(raw) : fail({ expected: range });
    },
    fromText: numberOf,
    write: (value) => (typeof value === 'number' ? String(value) : JSON.stringify(value)),
  });
}

/** A size in bytes: an integer, or text with a unit such as `"64 MiB"`. */
export function bytesKey(words: KeyWords<number> & NumberRange): KeyDeclaration<number> {
  const range = bytesRange(words);
  return declareKey(
    { unit: 'bytes', ...words },
    {
      range,
      read: (raw) => {
        const bytes = typeof raw === 'string' ? parseBytes(raw) : raw;
        return isIntegerWithin(bytes, words) ? succeed(bytes) : fail({ expected: range });
      },
      fromText: numberOf,
      write: formatBytes,
    },
  );
}

/** A size in bytes, or `"auto"`: the program chooses by the machine. */
export function bytesOrAutoKey(
  words: KeyWords<number | 'auto'> & NumberRange,
): KeyDeclaration<number | 'auto'> {
  const range = `${bytesRange(words)}, or "auto"`;
  return declareKey<number | 'auto'>(
    { unit: 'bytes', ...words },
    {
      range,
      read: (raw) => {
        if (raw === 'auto') return succeed('auto');
        const bytes = typeof raw === 'string' ? parseBytes(raw) : raw;
        return isIntegerWithin(bytes, words) ? succeed(bytes) : fail({ expected: range });
      },
      fromText: numberOf,
      write: (value) => (value === 'auto' ? '"auto"' : formatBytes(value)),
    },
  );
}

/** Any text; `allowEmpty` says whether `""` (usually: none) is a value. */
export function textKey(
  words: KeyWords<string> & { readonly allowEmpty: boolean },
): KeyDeclaration<string> {
  const range = words.allowEmpty ? 'text, or "" for none' : 'text that is not empty';
  return declareKey(words, {
    range,
    read: (raw) =>
      typeof raw === 'string' && (words.allowEmpty || raw !== '')
        ? succeed(raw)
        : fail({ expected: range }),
    fromText: (text) => text,
    write: (value) => JSON.stringify(value),
  });
}

/** One of a few words. `spellings` maps other accepted spellings to the words. */
export function choiceKey<Choice extends string>(
  words: KeyWords<Choice> & {
    readonly choices: readonly Choice[];
    readonly spellings?: Readonly<Record<string, Choice>>;
  },
): KeyDeclaration<Choice> {
  const range = `one of ${words.choices.map((choice) => `"${choice}"`).join(', ')}`;
  return declareKey(words, {
    range,
    read: (raw) => {
      const spelled = typeof raw === 'string' ? (words.spellings?.[raw] ?? raw) : raw;
      const choice = words.choices.find((candidate) => candidate === spelled);
      return choice === undefined ? fail({ expected: range }) : succeed(choice);
    },
    fromText: (text) => text,
    write: (value) => JSON.stringify(value),
  });
}

/** A list of texts. An environment variable holds it separated by commas, or as a JSON array. */
export function textListKey(words: KeyWords<readonly string[]>): KeyDeclaration<readonly string[]> {
  const range = 'a list of texts';
  return declareKey(words, {
    range,
    read: (raw) =>
      Array.isArray(raw) && raw.every((item) => typeof item === 'string' && item !== '')
        ? succeed(raw)
        : fail({ expected: range }),
    fromText: listOf,
    write: (value) => `[${value.map((item) => JSON.stringify(item)).join(', ')}]`,
  });
}

/** Texts by name, such as `nodes = { 1 = "127.0.0.1:1228" }`. An environment variable holds JSON. */
export function textMapKey(
  words: KeyWords<Readonly<Record<string, string>>>,
): KeyDeclaration<Readonly<Record<string, string>>> {
  const range = 'a table of texts, such as { 1 = "127.0.0.1:1228" }';
  return declareKey(words, {
    range,
    read: (raw) => (isTextMap(raw) ? succeed(raw) : fail({ expected: range })),
    fromText: tableOrText,
    write: (value) => {
      const items = Object.entries(value).map(
        ([name, text]) => `${name} = ${JSON.stringify(text)}`,
      );
      return items.length === 0 ? '{}' : `{ ${items.join(', ')} }`;
    },
  });
}

function bytesRange(range: NumberRange): string {
  return `a size from ${describeBytes(range.minimum)} to ${describeBytes(range.maximum)}, as an integer or such as "64 MiB"`;
}

function describeBytes(bytes: number): string {
  return formatBytes(bytes).replaceAll('"', '');
}

function isIntegerWithin(raw: unknown, range: NumberRange): raw is number {
  return Number.isInteger(raw) && Number(raw) >= range.minimum && Number(raw) <= range.maximum;
}

function isTextMap(raw: unknown): raw is Readonly<Record<string, string>> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return false;
  return Object.values(raw).every((value) => typeof value === 'string');
}

/** The number, or the text itself, which `read` then refuses by name. */
function numberOf(text: string): unknown {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

function listOf(text: string): unknown {
  if (text.startsWith('[')) return jsonOrText(text);
  if (text === '') return [];
  return text.split(',').map((item) => item.trim());
}

/** The table, written as in a file or as JSON; or the text itself, which `read` then refuses by name. */
function tableOrText(text: string): unknown {
  const json = jsonOrText(text);
  if (json !== text) return json;
  try {
    return parse(`table = ${text}`)['table'];
  } catch (error) {
    if (error instanceof TomlError) return text;
    throw error;
  }
}

/** The JSON value, or the text itself, which `read` then refuses by name. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
