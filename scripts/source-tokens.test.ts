import { describe, expect, test } from 'vitest';
import { codeTokens, tokenize } from './source-tokens.ts';

function codeOf(text: string): string {
  return codeTokens(tokenize(text))
    .map((token) => token.text)
    .join(' ');
}

describe('the tokenizer', () => {
  const rows = [
    ['a // b', 'a', 'a line comment is no code'],
    ['a /* b\n c */ d', 'a d', 'a block comment is no code'],
    ["f('await // x')", "f ( 'await // x' )", 'a string keeps comment marks'],
    ["'it\\'s' x", "'it\\'s' x", 'an escaped quote does not end a string'],
    ['`a ${b} c` d', '`a ${ b } c` d', 'a substitution is code'],
    ['`${ {a: `${x}`} }` y', '`${ { a : `${ x }` } }` y', 'templates and braces nest'],
    [
      'x = /a\\/[/]b/g.test(y)',
      'x = /a\\/[/]b/g . test ( y )',
      'a regular expression is one token',
    ],
    ['a / b / c', 'a / b / c', 'a division is not a regular expression'],
    ['return /x/', 'return /x/', 'a keyword lets a regular expression follow'],
    ['this.#x?.y => z', 'this . #x ?. y => z', 'private names and long punctuators are whole'],
    ['1_000.5e3 0xFFn', '1_000.5e3 0xFFn', 'a number is one token'],
  ] as const;
  for (const [text, expected, why] of rows) {
    test(why, () => expect(codeOf(text)).toBe(expected));
  }

  test('counts lines through comments, templates and strings', () => {
    const tokens = tokenize('/* 1\n2 */ a `x\n${b}\n` c');
    expect(
      tokens.filter((token) => token.kind === 'identifier').map((token) => token.line),
    ).toEqual([2, 3, 4]);
  });

  test('ends on unfinished input', () => {
    for (const text of ["'a", '`a', '`${', '/* a', '/re', '"']) {
      expect(tokenize(text).length).toBeGreaterThan(0);
    }
  });
});
