import { describe, expect, test } from 'vitest';
import { annotatedFile } from './annotated-file.ts';
import { effectiveSettings, explainKeys } from './explanation.ts';
import {
  booleanKey,
  bytesKey,
  choiceKey,
  integerKey,
  integerOrWordKey,
  textKey,
  textListKey,
  textMapKey,
} from './key-kinds.ts';
import { describeProblem } from './problem.ts';
import { resolveConfiguration } from './resolve.ts';
import type { Schema } from './schema.ts';

interface Values {
  readonly node: {
    readonly name: string;
    readonly peers: readonly string[];
    readonly nodes: Readonly<Record<string, string>>;
  };
  readonly network: {
    readonly port: number | 'off';
    readonly mode: 'fast' | 'safe';
    readonly open: boolean;
    readonly size: number;
    readonly token: string;
  };
  readonly listeners: readonly { readonly name: string; readonly port?: number }[];
}

const about = { meaning: 'Something.', reason: 'Because.' };

const schema: Schema<Values> = {
  sections: {
    node: {
      kind: 'section',
      name: '',
      meaning: 'The node.',
      keys: {
        name: textKey({ ...about, default: 'a', allowEmpty: false, aliases: ['node.id'] }),
        peers: textListKey({ ...about, default: [] }),
        nodes: textMapKey({ ...about, default: {} }),
      },
    },
    network: {
      kind: 'section',
      name: 'network',
      meaning: 'The network.',
      keys: {
        port: integerOrWordKey({
          ...about,
          default: 1883,
          minimum: 0,
          maximum: 65535,
          word: 'off',
        }),
        mode: choiceKey({ ...about, default: 'safe', choices: ['fast', 'safe'] }),
        open: booleanKey({ ...about, default: false }),
        size: bytesKey({ ...about, default: 2 ** 20, minimum: 1024, maximum: 2 ** 30 }),
        token: textKey({ ...about, default: '', allowEmpty: true, secret: true }),
      },
    },
    listeners: {
      kind: 'rows',
      name: 'listener',
      meaning: 'More.',
      required: ['name'],
      keys: {
        name: textKey({ ...about, default: 'x', allowEmpty: false }),
        port: integerKey({ ...about, default: 1, minimum: 0, maximum: 65535 }),
      },
    },
  },
  obsolete: [{ path: 'threads.*', reason: 'no threads' }],
};

type Environment = Readonly<Record<string, string>>;

function resolve(
  text: string,
  environment: Environment = {},
): ReturnType<typeof resolveConfiguration<Values>> {
  return resolveConfiguration(schema, { file: { name: 'f.toml', text }, environment });
}

function problemsOf(text: string, environment: Environment = {}): readonly string[] {
  const resolved = resolve(text, environment);
  return (resolved.ok ? resolved.value.warnings : resolved.fault).map(describeProblem);
}

function valuesOf(text: string, environment: Environment = {}): Values {
  const resolved = resolve(text, environment);
  if (!resolved.ok) throw new Error(resolved.fault.map(describeProblem).join('\n'));
  return resolved.value.values;
}

describe('a mistake is told with its place, key, value and what is allowed', () => {
  const rows = [
    [
      '[network]\nport = 70000',
      'f.toml:2: error: network.port: is 70000, expected an integer from 0 to 65535, or "off"',
      'too large',
    ],
    [
      '[network]\nport = "on"',
      'f.toml:2: error: network.port: is "on", expected an integer from 0 to 65535, or "off"',
      'a wrong word',
    ],
    [
      '[network]\n\nmode = "slow"',
      'f.toml:3: error: network.mode: is "slow", expected one of "fast", "safe"',
      'no such choice',
    ],
    [
      '[network]\nopen = 1',
      'f.toml:2: error: network.open: is 1, expected true or false',
      'a number is no truth value',
    ],
    [
      '[network]\nsize = "9 XB"',
      'f.toml:2: error: network.size: is "9 XB", expected a size from 1 KiB to 1 GiB, as an integer or such as "64 MiB"',
      'no such unit',
    ],
    [
      '[network]\ntoken = 12',
      'f.toml:2: error: network.token: is (secret), expected text, or "" for none',
      'a secret is not shown',
    ],
    ['name = ""', 'f.toml:1: error: name: is "", expected text that is not empty', 'empty'],
    [
      'peers = ["a", 1]',
      'f.toml:1: error: peers: is ["a",1], expected a list of texts',
      'a mixed list',
    ],
    [
      '[network]\nprot = 1',
      'f.toml:2: error: network.prot: is not a known key; did you mean network.port?',
      'a misspelled key',
    ],
    [
      'port = 1',
      'f.toml:1: error: port: is not a known key; did you mean network.port?',
      'a key of another section',
    ],
    [
      '[netwrok]\nzzz = 1',
      'f.toml:1: error: netwrok: is not a known key; did you mean [network]?',
      'a misspelled section',
    ],
    [
      'name = "a"\n[node]\nid = "b"',
      'f.toml:3: error: node.id: says the same as name; keep one of them',
      'a key and its alias',
    ],
    [
      '[[listener]]\nport = 1',
      'f.toml:1: error: listener.0: lacks the key name, expected text that is not empty',
      'a row without its name',
    ],
    [
      '[[listener]]\nname = "x"\nport = -1',
      'f.toml:3: error: listener.0.port: is -1, expected an integer from 0 to 65535',
      'a wrong value in a row',
    ],
    [
      '[[listener]]\nname = "x"\nprot = 1',
      'f.toml:3: error: listener.0.prot: is not a known key; did you mean port?',
      'an unknown key in a row',
    ],
    [
      '[threads]\naccept = 4',
      'f.toml:1: warning: threads: has no effect: no threads',
      'an obsolete section only warns',
    ],
  ] as const;
  for (const [text, expected, why] of rows) {
    test(why, () => expect(problemsOf(text)).toEqual([expected]));
  }

  test('a syntax error names its line and column', () => {
    expect(problemsOf('name = "a"\nname2 = = 1')[0]).toMatch(/^f\.toml:2: error: column \d+: /);
  });

  test('all mistakes are told at once', () => {
    expect(
      problemsOf('nme = "a"\n[network]\nport = -1\nopen = 3', { ROBUST_MQ_SERVER_X: '1' }),
    ).toHaveLength(4);
  });
});

describe('the environment', () => {
  test('wins over the file, which wins over the default', () => {
    const text = 'name = "file"\n[network]\nport = 1';
    const values = valuesOf(text, { ROBUST_MQ_SERVER_NETWORK_PORT: '2' });
    expect(values).toMatchObject({ node: { name: 'file' }, network: { port: 2, mode: 'safe' } });
  });

  const rows = [
    ['NETWORK_PORT', 'off', { network: { port: 'off' } }, 'a word'],
    ['NETWORK_OPEN', 'true', { network: { open: true } }, 'a truth value'],
    ['NETWORK_SIZE', '2 MiB', { network: { size: 2 ** 21 } }, 'a size with a unit'],
    ['NETWORK_SIZE', '4096', { network: { size: 4096 } }, 'a size in bytes'],
    ['PEERS', 'a:1, b:2', { node: { peers: ['a:1', 'b:2'] } }, 'a list with commas'],
    ['PEERS', '["a,1"]', { node: { peers: ['a,1'] } }, 'a list as JSON'],
    ['PEERS', '', { node: { peers: [] } }, 'an empty list'],
    ['NODES', '{ 1 = "a:1", 2 = "b:2" }', { node: { nodes: { 1: 'a:1', 2: 'b:2' } } }, 'a table'],
    ['NODES', '{"1":"a:1"}', { node: { nodes: { 1: 'a:1' } } }, 'a table as JSON'],
    ['NODE_ID', 'z', { node: { name: 'z' } }, 'an alias'],
    [
      'LISTENER',
      '[{"name":"x","port":3}]',
      { listeners: [{ name: 'x', port: 3 }] },
      'rows as JSON',
    ],
  ] as const;
  for (const [variable, text, expected, why] of rows) {
    test(`holds ${why}`, () => {
      expect(valuesOf('', { [`ROBUST_MQ_SERVER_${variable}`]: text })).toMatchObject(expected);
    });
  }

  test('is refused when it holds a variable that nothing reads, and the nearest name is told', () => {
    expect(problemsOf('', { ROBUST_MQ_SERVER_NETWORK_PROT: '1' })).toEqual([
      'environment variable ROBUST_MQ_SERVER_NETWORK_PROT: error: is not a known variable; did you mean ROBUST_MQ_SERVER_NETWORK_PORT?',
    ]);
  });

  test('is named in the message about a wrong value', () => {
    expect(problemsOf('', { ROBUST_MQ_SERVER_NETWORK_PORT: 'x' })[0]).toMatch(
      /^environment variable ROBUST_MQ_SERVER_NETWORK_PORT: error: network\.port: is "x", expected/,
    );
  });

  test('may hold a variable of an obsolete section', () => {
    expect(problemsOf('', { ROBUST_MQ_SERVER_THREADS_ACCEPT: '4' })[0]).toMatch('no threads');
  });
});

describe('what is told about a configuration', () => {
  test('secrets are redacted, and every value says where it comes from', () => {
    const resolved = resolve('[network]\ntoken = "hush"', { ROBUST_MQ_SERVER_NETWORK_PORT: '1' });
    const settings = effectiveSettings(resolved.ok ? resolved.value.settings : []);
    expect(JSON.stringify(settings)).not.toContain('hush');
    const origins = Object.fromEntries(settings.map(({ key, originText }) => [key, originText]));
    expect(origins).toMatchObject({
      name: 'default',
      'network.token': 'f.toml:2',
      'network.port': 'environment variable ROBUST_MQ_SERVER_NETWORK_PORT',
    });
  });

  test('keys are explained by name, by section and by alias', () => {
    expect(explainKeys(schema, 'network.port')).toHaveLength(1);
    expect(explainKeys(schema, 'network')).toHaveLength(5);
    expect(explainKeys(schema, 'node.id').map(({ key }) => key)).toEqual(['name']);
    expect(explainKeys(schema, 'nothing')).toEqual([]);
  });

  test('the annotated file gives the defaults and its overrides', () => {
    const options = { header: ['Title.'], overrides: { 'network.port': 7 }, keys: 'all' } as const;
    const defaults = valuesOf('');
    expect(valuesOf(annotatedFile(schema, options))).toEqual({
      ...defaults,
      network: { ...defaults.network, port: 7 },
    });
  });
});
