/** One command of a scenario: `propose node=1 reach=(2,3)`. */
export class ScenarioCommand {
  readonly name: string;
  /** Where it stands in its file, from 1. */
  readonly line: number;
  readonly #values: ReadonlyMap<string, string>;

  constructor(name: string, line: number, values: ReadonlyMap<string, string>) {
    this.name = name;
    this.line = line;
    this.#values = values;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** @throws Error naming the line when the argument is missing */
  text(key: string): string {
    const value = this.#values.get(key);
    if (value === undefined) throw new Error(`line ${this.line}: ${this.name} needs ${key}=`);
    return value;
  }

  /** A whole number. @throws Error naming the line when it is none */
  number(key: string): number {
    const value = Number(this.text(key));
    if (!Number.isInteger(value)) throw new Error(`line ${this.line}: ${key} is no whole number`);
    return value;
  }

  /** The numbers of `key=(1,2)` or `key=1`; none for `key=()` and for a missing key. */
  numbers(key: string): readonly number[] {
    const value = this.#values.get(key) ?? '';
    const inner = value.replace(/^\(|\)$/g, '');
    return inner === '' ? [] : inner.split(',').map(Number);
  }
}

export function parseCommand(text: string, line: number): ScenarioCommand {
  const [name = '', ...words] = text.split(/\s+/);
  const values = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 0) values.set(word, '');
    else values.set(word.slice(0, at), word.slice(at + 1));
  }
  return new ScenarioCommand(name, line, values);
}
