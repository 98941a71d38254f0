import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedRpcFiles } from './generate-rpc.ts';

const root = new URL('..', import.meta.url).pathname;

for (const { path, text } of generatedRpcFiles()) {
  test(`${path} is what the proto files say`, () => {
    const hint = 'run: node scripts/generate-rpc.ts';
    expect(readFileSync(root + path, 'utf8'), hint).toBe(text);
  });
}
