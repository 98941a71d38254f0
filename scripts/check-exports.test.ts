import { describe, expect, test } from 'vitest';
import { starExports, undocumentedExports } from './check-exports.ts';
import { sourceFile } from './workspace.ts';

describe('the public face of a package', () => {
  test('export * is found, also with a name', () => {
    const file = sourceFile(
      'libs/x/src/index.ts',
      "export * from './a.ts';\nexport * as b from 'b';",
    );
    expect(starExports(file)).toHaveLength(2);
  });

  test('a list of names is fine, and so is a comment about stars', () => {
    const file = sourceFile(
      'libs/x/src/index.ts',
      "// never export *\nexport { a } from './a.ts';",
    );
    expect(starExports(file)).toEqual([]);
  });

  test('a declaration without a comment above is named', () => {
    const text =
      '/** Known. */\nexport const a = 1;\nexport async function b() {}\n// no\nexport type C = 1;';
    const file = sourceFile('libs/x/src/a.ts', text);
    expect(undocumentedExports(file).map((finding) => finding.message)).toEqual([
      'b has no documentation',
      'C has no documentation',
    ]);
  });

  test('a re-export is documented where it is declared', () => {
    const file = sourceFile('libs/x/src/index.ts', "export type { A } from './a.ts';");
    expect(undocumentedExports(file)).toEqual([]);
  });
});
