/**
 * What a record looks like as JSON, in both directions.
 *
 * A shape reads only what it knows and names the path of what is wrong; fields that it does not know
 * are left out, so that a record of the same version may gain fields.
 */

/** Reads and writes one kind of value. */
export interface RecordShape<Value> {
  /** @throws RecordShapeError with `path` in its message */
  read(json: unknown, path: string): Value;
  write(value: Value): unknown;
}

/** A JSON value that is not of the shape. */
export class RecordShapeError extends Error {
  override readonly name = 'RecordShapeError';
}

/** Any text. */
export const text: RecordShape<string> = {
  read: (json, path) => (typeof json === 'string' ? json : refuse(path, 'is no text')),
  write: (value) => value,
};

/** A safe integer from 0 on. */
export const count: RecordShape<number> = {
  read: (json, path) =>
    typeof json === 'number' && Number.isSafeInteger(json) && json >= 0
      ? json
      : refuse(path, 'is no whole number'),
  write: (value) => value,
};

/** true or false. */
export const flag: RecordShape<boolean> = {
  read: (json, path) => (typeof json === 'boolean' ? json : refuse(path, 'is not true or false')),
  write: (value) => value,
};

/** Bytes, written in base64 (RFC 4648 §4). */
export const bytes: RecordShape<Uint8Array> = {
  read: (json, path) => {
    if (typeof json !== 'string') return refuse(path, 'is no base64');
    try {
      return Uint8Array.from(atob(json), (character) => character.charCodeAt(0));
    } catch {
      return refuse(path, 'is no base64');
    }
  },
  write: (value) => Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'),
};

/** One of a few texts. */
export function oneOf<const Value extends string>(words: readonly Value[]): RecordShape<Value> {
  return {
    read: (json, path) =>
      words.find((word) => word === json) ?? refuse(path, `is none of ${words.join(', ')}`),
    write: (value) => value,
  };
}

/** The value or null; absent counts as null. */
export function orNull<Value>(shape: RecordShape<Value>): RecordShape<Value | null> {
  return {
    read: (json, path) => (json === null || json === undefined ? null : shape.read(json, path)),
    write: (value) => (value === null ? null : shape.write(value)),
  };
}

/** An array of equal shapes. */
export function listOf<Value>(shape: RecordShape<Value>): RecordShape<readonly Value[]> {
  return {
    read: (json, path) =>
      Array.isArray(json)
        ? json.map((item, index) => shape.read(item, `${path}[${index}]`))
        : refuse(path, 'is no list'),
    write: (value) => value.map((item) => shape.write(item)),
  };
}

/** An object with these fields. */
export function fields<Value extends object>(
  shapes: {
    readonly [Name in keyof Value]: RecordShape<Value[Name]>;
  },
): RecordShape<Value> {
  const names = Object.keys(shapes) as (keyof Value & string)[];
  return {
    read: (json, path) => {
      if (typeof json !== 'object' || json === null) return refuse(path, 'is no object');
      const given = json as Readonly<Record<string, unknown>>;
      const read = names.map((name) => [name, shapes[name].read(given[name], `${path}.${name}`)]);
      return Object.fromEntries(read) as Value;
    },
    write: (value) =>
      Object.fromEntries(names.map((name) => [name, shapes[name].write(value[name])])),
  };
}

function refuse(path: string, problem: string): never {
  throw new RecordShapeError(`${path} ${problem}`);
}
