/**
 * What is code in a TypeScript file, and what is comment or text?
 *
 * A tokenizer, not a parser: enough for the checks of this folder to see identifiers, punctuators,
 * strings, templates, regular expressions and comments apart, so that a word in a comment is never
 * taken for code. Substitutions inside templates are code again.
 *
 * Limits: a regular expression right after `)` or `}` is read as a division, which the formatter's
 * style makes rare. Cost: linear in the length of the text.
 */

export type TokenKind =
  | 'identifier'
  | 'number'
  | 'string'
  | 'template'
  | 'regex'
  | 'comment'
  | 'punctuator';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Line of the first character, from 1. */
  readonly line: number;
}

const IDENTIFIER_START = /[\p{ID_Start}$_#@]/u;
const IDENTIFIER_PART = /[\p{ID_Continue}$]/u;
const LONG_PUNCTUATORS = ['...', '=>', '?.'];
/** After these words a slash starts a regular expression, after any other identifier it divides. */
const WORDS_BEFORE_REGEX = new Set(
  'return typeof case in of delete void throw new else do instanceof yield await'.split(' '),
);

/** Splits `text` into tokens; white space is dropped, everything else is kept in order. */
export function tokenize(text: string): readonly Token[] {
  return new Tokenizer(text).run();
}

/** The tokens without comments: what the compiler acts on. */
export function codeTokens(tokens: readonly Token[]): readonly Token[] {
  return tokens.filter((token) => token.kind !== 'comment');
}

/** The text between the quotes of a string token; escapes are left as they stand. */
export function stringValue(token: Token): string {
  return token.text.slice(1, -1);
}

class Tokenizer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  /** For every open template substitution: how many braces are open inside it. */
  readonly #substitutionDepths: number[] = [];
  #position = 0;
  #line = 1;
  #lastCode: Token | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly Token[] {
    while (this.#position < this.#text.length) this.#next();
    return this.#tokens;
  }

  #next(): void {
    const character = this.#at(0);
    if (/\s/.test(character)) this.#skipSpace(character);
    else if (character === '/' && this.#at(1) === '/') this.#emit('comment', this.#lineEnd());
    else if (character === '/' && this.#at(1) === '*') this.#emit('comment', this.#after('*/', 2));
    else if (character === "'" || character === '"') this.#emit('string', this.#quoteEnd());
    else if (character === '`') this.#template();
    else if (/\d/.test(character)) this.#emit('number', this.#numberEnd());
    else if (IDENTIFIER_START.test(character)) this.#emit('identifier', this.#identifierEnd());
    else if (character === '/' && this.#regexMayStart()) this.#emit('regex', this.#regexEnd());
    else this.#punctuator(character);
  }

  #at(ahead: number): string {
    return this.#text[this.#position + ahead] ?? '';
  }

  #skipSpace(character: string): void {
    if (character === '\n') this.#line += 1;
    this.#position += 1;
  }

  #emit(kind: TokenKind, end: number): void {
    const text = this.#text.slice(this.#position, end);
    const token: Token = { kind, text, line: this.#line };
    this.#tokens.push(token);
    if (kind !== 'comment') this.#lastCode = token;
    this.#line += text.split('\n').length - 1;
    this.#position = end;
  }

  #lineEnd(): number {
    const end = this.#text.indexOf('\n', this.#position);
    return end === -1 ? this.#text.length : end;
  }

  #after(mark: string, from: number): number {
    const found = this.#text.indexOf(mark, this.#position + from);
    return found === -1 ? this.#text.length : found + mark.length;
  }

  #quoteEnd(): number {
    const quote = this.#at(0);
    let end = this.#position + 1;
    while (end < this.#text.length && this.#text[end] !== quote && this.#text[end] !== '\n') {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    return Math.min(end + 1, this.#text.length);
  }

  #numberEnd(): number {
    let end = this.#position + 1;
    while (/[\w.]/.test(this.#text[end] ?? '')) end += 1;
    return end;
  }

  #identifierEnd(): number {
    let end = this.#position + 1;
    while (IDENTIFIER_PART.test(this.#text[end] ?? '')) end += 1;
    return end;
  }

  #regexMayStart(): boolean {
    const last = this.#lastCode;
    if (last === undefined) return true;
    if (last.kind === 'identifier') return WORDS_BEFORE_REGEX.has(last.text);
    return last.kind === 'punctuator' && ![')', ']', '}'].includes(last.text);
  }

  #regexEnd(): number {
    let end = this.#position + 1;
    let inClass = false;
    while (end < this.#text.length && this.#text[end] !== '\n') {
      const character = this.#text[end];
      if (character === '/' && !inClass) break;
      if (character === '[') inClass = true;
      if (character === ']') inClass = false;
      end += character === '\\' ? 2 : 1;
    }
    end += 1;
    while (/[a-z]/.test(this.#text[end] ?? '')) end += 1;
    return Math.min(end, this.#text.length);
  }

  /** From a back quote, or from the brace that closes a substitution, to the next of either kind. */
  #template(): void {
    let end = this.#position + 1;
    while (end < this.#text.length && this.#text[end] !== '`') {
      if (this.#text.startsWith('${', end)) {
        this.#emit('template', end + 2);
        this.#substitutionDepths.push(0);
        return;
      }
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#emit('template', Math.min(end + 1, this.#text.length));
  }

  #punctuator(character: string): void {
    const depths = this.#substitutionDepths;
    const depth = depths.at(-1);
    if (character === '}' && depth === 0) {
      depths.pop();
      this.#template();
      return;
    }
    if (depth !== undefined && character === '{') depths[depths.length - 1] = depth + 1;
    if (depth !== undefined && character === '}') depths[depths.length - 1] = depth - 1;
    const long = LONG_PUNCTUATORS.find((mark) => this.#text.startsWith(mark, this.#position));
    this.#emit('punctuator', this.#position + (long ?? character).length);
  }
}
