/** A text that is kept but never shown: texts and JSON say `[secret]`, inspection says nothing. */
export class SecretText {
  readonly #text: string;

  constructor(value: string) {
    this.#text = value;
  }

  /** The text itself. Whoever asks is responsible for where it goes. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}
