import { describe, expect, test } from 'vitest';
import { functionSpans } from './function-spans.ts';
import { tokenize } from './source-tokens.ts';

function namesOf(text: string): readonly string[] {
  return functionSpans(tokenize(text)).map((span) => `${span.name}:${span.lines}`);
}

describe('the functions of a file', () => {
  const rows = [
    ['function f(a: number) {\n\n}', ['f:3'], 'a declaration'],
    ['export function f(): { a: string } {\n}', ['f:2'], 'a type literal is not the body'],
    ['function f(x: unknown): x is Foo<{ a: 1 }> {\n}', ['f:2'], 'a type guard'],
    ['class A {\n  #b(c: string): void {\n  }\n}', ['#b:2'], 'a private method'],
    ['const f = (a: number): Map<string, number> => {\n};', ['f:2'], 'an arrow with a type'],
    ['list.map((a) => {\n  return a;\n});', ['arrow:3'], 'a nameless arrow'],
    ['if (a) {\n}\nfor (const b of c) {\n}', [], 'control statements are not functions'],
    ['const x = a ? f(b) : { c: 1 };\nif (x) {\n}', [], 'a conditional is not a function'],
    ['interface I {\n  f(a: string): void;\n  g(): { b: 1 };\n}', [], 'a signature has no body'],
    ['switch (a) {\n  case f(b): {\n  }\n}', [], 'a case is not a function'],
    ['function f<T>(a: T): T {\n}', ['f:2'], 'a generic function'],
    [
      'function f(\n  a: number,\n): void {\n  g(() => {\n  });\n}',
      ['f:6', 'arrow:2'],
      'a nested function counts for itself',
    ],
  ] as const;
  for (const [text, expected, why] of rows) {
    test(why, () => expect(namesOf(text)).toEqual(expected));
  }
});
