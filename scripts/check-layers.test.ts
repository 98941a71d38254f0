import { describe, expect, test } from 'vitest';
import { checkLayers } from './check-layers.ts';
import { type Layer, sourceFile, type Workspace, type WorkspacePackage } from './workspace.ts';

function makePackage(
  layer: Layer,
  name: string,
  options: { readonly needs?: readonly string[]; readonly files?: Record<string, string> } = {},
): WorkspacePackage {
  const needs = options.needs ?? [];
  return {
    name: `@robustmq/${name}`,
    folder: `libs/${name}`,
    layer,
    exportedPaths: ['.'],
    dependencies: needs.map((each) => `@robustmq/${each}`),
    devDependencies: [],
    references: needs.map((each) => `libs/${each}`),
    files: Object.entries(options.files ?? {}).map(([path, text]) =>
      sourceFile(`libs/${name}/${path}`, text),
    ),
  };
}

function messagesOf(...packages: readonly WorkspacePackage[]): readonly string[] {
  const workspace: Workspace = { root: '.', packages, rootDependencies: ['pino'], scripts: [] };
  return checkLayers(workspace).findings.map((finding) => finding.message);
}

describe('the direction of dependencies', () => {
  test('downwards and sideways without a cycle is fine', () => {
    expect(
      messagesOf(
        makePackage('word', 'errors'),
        makePackage('core', 'topic', { needs: ['errors'] }),
        makePackage('core', 'broker', { needs: ['topic'] }),
        makePackage('edge', 'disk', { needs: ['broker', 'errors'] }),
        makePackage('service', 'mqtt', { needs: ['disk', 'topic'] }),
        makePackage('service', 'robustctl', { needs: ['mqtt'] }),
        makePackage('test', 'simulator', { needs: ['mqtt', 'topic'] }),
      ),
    ).toEqual([]);
  });

  test('a core may not depend on an edge', () => {
    expect(
      messagesOf(makePackage('core', 'topic', { needs: ['disk'] }), makePackage('edge', 'disk')),
    ).toEqual(['@robustmq/disk: core must not see edge']);
  });

  test('a service may not depend on a service, unless it is the one that starts them', () => {
    expect(
      messagesOf(makePackage('service', 'a', { needs: ['b'] }), makePackage('service', 'b')),
    ).toEqual(['@robustmq/b: a service does not depend on a service']);
  });

  test('nothing but tests depends on a test package', () => {
    expect(
      messagesOf(makePackage('edge', 'a', { needs: ['suite'] }), makePackage('test', 'suite')),
    ).toEqual(['@robustmq/suite: only tests may depend on a test package']);
  });

  test('a cycle is named from end to end', () => {
    expect(
      messagesOf(
        makePackage('core', 'a', { needs: ['b'] }),
        makePackage('core', 'b', { needs: ['a'] }),
      ),
    ).toEqual(['cycle: @robustmq/a → @robustmq/b → @robustmq/a']);
  });

  test('a dependency without a project reference makes clean builds fail', () => {
    const edge = { ...makePackage('edge', 'a', { needs: ['b'] }), references: [] };
    expect(messagesOf(edge, makePackage('core', 'b'))).toEqual([
      'references lack { "path": "../b" }',
    ]);
  });
});

describe('imports', () => {
  const core = makePackage('core', 'topic');
  const rows = [
    ["import { a } from '@robustmq/topic';", [], 'an exported name of a declared package is fine'],
    [
      "import { a } from '@robustmq/topic/src/trie.ts';",
      ['@robustmq/topic/src/trie.ts reaches past the exports of @robustmq/topic'],
      'a deep import is not',
    ],
    ["// import '@robustmq/nothing'", [], 'a comment is not an import'],
    ["import type { L } from 'pino';", [], 'a third-party package of the root is declared'],
    ["await import('left-pad');", ['left-pad is not declared in package.json'], 'others are not'],
    [
      "export { a } from '../../topic/src/trie.ts';",
      ['../../topic/src/trie.ts leaves the package: import it by name'],
      'a relative path stays in the package',
    ],
  ] as const;
  for (const [text, expected, why] of rows) {
    test(why, () => {
      const edge = makePackage('edge', 'disk', { needs: ['topic'], files: { 'src/a.ts': text } });
      expect(messagesOf(core, edge)).toEqual(expected);
    });
  }

  test('an undeclared package is a finding in a source file and allowed in a test', () => {
    const text = "import { a } from '@robustmq/topic';";
    const files = { 'src/a.ts': text, 'src/a.test.ts': text, 'src/testing/b.ts': text };
    expect(messagesOf(core, makePackage('edge', 'disk', { files }))).toEqual([
      '@robustmq/topic is not declared in package.json',
    ]);
  });

  test('a package does not import itself by name, but its tests outside of src may', () => {
    const text = "import { a } from '@robustmq/disk';";
    const files = { 'src/a.ts': text, 'src/a.test.ts': text, 'test/a.test.ts': text };
    expect(messagesOf(makePackage('edge', 'disk', { files }))).toEqual([
      'imports its own package by name: import the file',
      'imports its own package by name: import the file',
    ]);
  });

  test('a core has no third-party dependency', () => {
    const files = { 'src/a.ts': "import pino from 'pino';" };
    expect(messagesOf(makePackage('core', 'topic', { files }))).toEqual([
      'pino: a core has no third-party dependency',
    ]);
  });
});
