import { describe, expect, test } from 'vitest';
import { impurities } from './check-purity.ts';
import { sourceFile } from './workspace.ts';

function messagesOf(text: string): readonly string[] {
  return impurities(sourceFile('libs/x/src/a.ts', text)).map((finding) => finding.message);
}

describe('effects that a core must not have', () => {
  const rows = [
    ["import { open } from 'node:fs';", 'imports node:fs'],
    ["import { open } from 'fs/promises';", 'imports fs/promises'],
    ["const fs = await import('node:fs');", 'imports node:fs'],
    ['async function f() {}', 'async function'],
    ['const f = async (a) => a;', 'async function'],
    ['class A { async #b() {} }', 'async function'],
    ['await f();', 'await'],
    ['new Promise<void>((resolve) => resolve());', 'makes a Promise'],
    ['Promise.all(x);', 'makes a Promise'],
    ['const now = Date.now();', 'Date'],
    ['const now = new Date();', 'Date'],
    ['Math.random();', 'Math.random'],
    ['process.env.HOME;', 'process'],
    ['console.log(1);', 'console'],
    ['setTimeout(f, 1);', 'setTimeout'],
    ['Buffer.from(a);', 'Buffer'],
    ['const size = `${Date.now()}`;', 'Date'],
    ['crypto.randomUUID();', 'crypto'],
  ] as const;
  for (const [text, expected] of rows) {
    test(`${text} is found`, () => expect(messagesOf(text)).toContain(expected));
  }
});

describe('words that only look like effects', () => {
  const rows = [
    '// await Date.now() and Buffer.from()',
    '/** Never reads `process.env`; see Math.random. */',
    "const mode: 'sync' | 'async' = 'async';",
    'const text = `await ${name}`;',
    'state.date.process(1);',
    'const fault = { process: 1, async: 2, Buffer: 3 };',
    'interface Journal { append(batch: Batch): Promise<Offset>; }',
    'Math.max(1, 2);',
    'const expired = /Date.now\\(\\)/.test(text);',
    'interface Options { readonly fetch?: number }',
  ];
  for (const text of rows) {
    test(`${text} is no finding`, () => expect(messagesOf(text)).toEqual([]));
  }
});
