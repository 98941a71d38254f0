import { readFileSync } from 'node:fs';
import { annotatedFile, describeProblem, keysOf, resolveConfiguration } from '@robustmq/config';
import type { SchemaKey } from '@robustmq/config';
import { describe, expect, test } from 'vitest';
import { brokerSchema } from './schema.ts';
import { brokerSettingsFrom } from './settings-from.ts';
import type { BrokerSettings } from '../settings.ts';

type Environment = Readonly<Record<string, string>>;
const GIB = 2 ** 30;
const machine = { memoryBytes: 8 * GIB, diskBytes: 100 * GIB };

function settingsOf(text: string, environment: Environment = {}): BrokerSettings {
  const outcome = outcomeOf(text, environment);
  if (Array.isArray(outcome)) throw new Error(outcome.join('\n'));
  return outcome as BrokerSettings;
}

function outcomeOf(
  text: string,
  environment: Environment = {},
  on = machine,
): BrokerSettings | string[] {
  const resolved = resolveConfiguration(brokerSchema, {
    file: { name: 'f.toml', text },
    environment,
  });
  if (!resolved.ok) return resolved.fault.map(describeProblem);
  const settings = brokerSettingsFrom(resolved.value, on, '1.2.3');
  return settings.ok ? settings.value : settings.fault.map(describeProblem);
}

describe('the shipped file', () => {
  const text = readFileSync(new URL('../../../../config/standalone.toml', import.meta.url), 'utf8');

  test('gives exactly the defaults', () => {
    expect(settingsOf(text)).toEqual(settingsOf(''));
  });

  test('shows every key of the schema, with the words of the schema', () => {
    const generated = annotatedFile(brokerSchema, { header: ['x'], overrides: {}, keys: 'all' });
    const withoutHeader = (file: string): string => file.slice(file.indexOf('\n\n'));
    expect(withoutHeader(text)).toBe(withoutHeader(generated));
  });
});

describe('the defaults', () => {
  const settings = settingsOf('');

  test('open MQTT and WebSocket on loopback, and nothing else', () => {
    const listeners = settings.listeners.map(({ kind, host, port }) => [kind, host, port]);
    expect(listeners).toEqual([
      ['tcp', '127.0.0.1', 1883],
      ['websocket', '127.0.0.1', 8083],
    ]);
    expect(settings.http).toEqual({ enabled: true, host: '127.0.0.1', port: 9982 });
  });

  test('acknowledge after the flush', () => {
    expect(settings.storage).toMatchObject({ kind: 'segment', acknowledge: 'sync' });
  });

  test('open the TLS listeners once there is a certificate', () => {
    const { listeners } = settingsOf('[network]\ntls_cert = "c.pem"\ntls_key = "k.pem"');
    expect(listeners.map(({ port }) => port)).toEqual([1883, 8883, 8083, 8084]);
  });

  const rows = [
    [GIB, GIB * 100, GIB / 4, 64 * 2 ** 20, 'a quarter of a small memory'],
    [64 * GIB, GIB * 100, GIB / 2, 64 * 2 ** 20, '512 MiB of a large one'],
    [64 * GIB, 64 * 2 ** 20, GIB / 2, 3_355_443, 'a twentieth of a small disk stays free'],
  ] as const;
  for (const [memoryBytes, diskBytes, memoryBytesMax, diskFreeBytesMin, why] of rows) {
    test(`fit the machine: ${why}`, () => {
      expect(outcomeOf('', {}, { memoryBytes, diskBytes })).toMatchObject({
        limits: { memoryBytesMax },
        storage: { diskFreeBytesMin },
      });
    });
  }
});

describe('every key', () => {
  /** Another value than the default, as an environment variable would hold it. */
  function otherValue({ path, declaration }: SchemaKey): string {
    const candidates = [
      '1',
      '7',
      '4096',
      '65536',
      '48 MiB',
      'other',
      'true',
      'false',
      ...quotedWords(declaration.range),
    ];
    const found = candidates.find((text) => {
      const read = declaration.read(declaration.fromText(text));
      return read.ok && JSON.stringify(read.value) !== JSON.stringify(declaration.default);
    });
    if (found === undefined) throw new Error(`no other value for ${path}`);
    return found;
  }

  for (const key of keysOf(brokerSchema)) {
    test(`${key.path} is overridden by ${key.variable}`, () => {
      const text = otherValue(key);
      const environment = { [key.variable]: text };
      const resolved = resolveConfiguration(brokerSchema, { file: null, environment });
      const setting = resolved.ok && resolved.value.settings.find(({ path }) => path === key.path);
      expect(setting).toMatchObject({ origin: { kind: 'environment', variable: key.variable } });
      expect(setting && setting.value).not.toEqual(key.declaration.default);
    });
  }

  test('has a variable of its own', () => {
    const paths = keysOf(brokerSchema).flatMap((key) => [key.path, ...key.declaration.aliases]);
    const variables = paths.map((path) => path.replaceAll('.', '_').toUpperCase());
    expect(new Set(variables).size).toBe(variables.length);
  });
});

function quotedWords(range: string): string[] {
  return [...range.matchAll(/"([^"]+)"/g)].map(([, word = '']) => word);
}

describe('names of RobustMQ', () => {
  const seedFile = `
cluster_name = "mqtt-broker"
broker_id = 3
grpc_port = 9981
http_port = 9982

[network]
tcp_port = 2883
tcps_port = 9883
websocket_port = 9093
websockets_port = 9094
quic_port = 9083
tls_cert = "./certs/cert.pem"
tls_key = "./certs/key.pem"

[tcp_thread]
accept_thread_num = 5
handler_thread_num = 10
max_connection_num = 1000

[auth]
storage_type = "placement"

[system]
runtime_worker_threads = 128
default_user = "admin"
default_password = "pwd123"

[storage]
storage_type = "memory"

[log]
log_path = "./logs"
log_segment_size = 1073741824
log_file_num = 50

[subscribe]
shared_subscription_strategy = "hash"
`;

  test('are understood where they mean the same', () => {
    const settings = settingsOf(seedFile);
    expect(settings).toMatchObject({
      nodeId: 3,
      storage: { kind: 'memory' },
      sharedSubscriptions: { strategy: 'hash_client' },
    });
    expect(settings.listeners.map(({ port }) => port)).toEqual([2883, 9883, 9093, 9094]);
    expect(settings.listeners[0]?.connectionsMax).toBe(1000);
  });

  test('are warned about where they mean nothing, without showing a password', () => {
    const file = { name: 'f.toml', text: seedFile };
    const resolved = resolveConfiguration(brokerSchema, { file, environment: {} });
    const warnings = resolved.ok ? resolved.value.warnings.map(describeProblem) : [];
    expect(warnings.map((line) => line.split(': ')[2])).toEqual([
      'network.quic_port',
      'tcp_thread.accept_thread_num',
      'tcp_thread.handler_thread_num',
      'auth.storage_type',
      'system.runtime_worker_threads',
      'system.default_user',
      'system.default_password',
    ]);
    expect(warnings.join('')).not.toContain('pwd123');
  });
});

describe('a listener that others can reach', () => {
  const rows = [
    ['[network]\nhost = "0.0.0.0"', 'refused', 'every IPv4 address'],
    ['[network]\nhost = "::"', 'refused', 'every address'],
    ['[network]\nhost = "broker.example"', 'refused', 'a name may point anywhere'],
    ['[network]\nhost = "127.1.2.3"', 'accepted', 'all of 127/8 is loopback'],
    ['[network]\nhost = "::1"', 'accepted', 'IPv6 loopback'],
    ['[network]\nhost = "localhost"', 'accepted', 'localhost'],
    ['[network]\nhost = "0.0.0.0"\n[auth]\npassword_file = "p"', 'accepted', 'there is a login'],
    [
      '[network]\nhost = "0.0.0.0"\n[auth]\nallow_anonymous_remote = true',
      'accepted',
      'somebody said so',
    ],
    [
      '[[listener]]\nname = "x"\nkind = "tcp"\nport = 1\nhost = "10.0.0.1"',
      'refused',
      'one row is enough',
    ],
    [
      '[[listener]]\nname = "x"\nkind = "tls"\nport = 1\nhost = "10.0.0.1"\ntls_cert = "c"\ntls_key = "k"\ntls_ca = "a"\ntls_client_certificate = "required"\n[auth]\ncertificate_as_username = true',
      'accepted',
      'certificates are a login',
    ],
    [
      '[[listener]]\nname = "x"\nkind = "tls"\nport = 1\nhost = "10.0.0.1"\ntls_cert = "c"\ntls_key = "k"\ntls_ca = "a"\ntls_client_certificate = "required"',
      'refused',
      'certificates that log nobody in leave everybody out',
    ],
  ] as const;
  for (const [text, expected, why] of rows) {
    test(`is ${expected}: ${why}`, () => {
      const outcome = outcomeOf(text);
      expect(Array.isArray(outcome) ? 'refused' : 'accepted').toBe(expected);
    });
  }

  test('is refused with its line and with every way out', () => {
    const [message] = outcomeOf('[network]\nhost = "0.0.0.0"') as string[];
    expect(message).toMatch(/^f\.toml:2: error: network\.host: is "0\.0\.0\.0"/);
    for (const way of [
      '127.0.0.1',
      'password_file',
      'robustctl passwd',
      'tls_client_certificate',
      'certificate_as_username = true',
      'allow_anonymous_remote = true',
    ]) {
      expect(message).toContain(way);
    }
  });
});

describe('listeners that cannot work together are refused', () => {
  const row = '[[listener]]\nname = "x"\nkind = "tls"\nport = 9';
  const rows = [
    [
      '[network]\ntcp_port = "off"\nwebsocket_port = "off"',
      /f\.toml:2: .*opens no listener/,
      'none at all',
    ],
    ['[network]\ntcp_port = 8083', /8083, which network\.tcp_port uses already/, 'one port twice'],
    [
      '[[listener]]\nname = "tcp"\nkind = "tcp"\nport = 9',
      /named "tcp", as does network\.tcp_port/,
      'one name twice',
    ],
    [row, /listener\.0\.tls_cert: is missing/, 'TLS without a certificate'],
    [`${row}\ntls_cert = "c"`, /listener\.0\.tls_key: is missing/, 'a certificate without its key'],
    [
      `${row}\ntls_cert = "c"\ntls_key = "k"\ntls_client_certificate = "required"`,
      /listener\.0\.tls_ca: is missing/,
      'client certificates without an authority',
    ],
  ] as const;
  for (const [text, expected, why] of rows) {
    test(why, () => expect((outcomeOf(text) as string[]).join('\n')).toMatch(expected));
  }

  test('what a row leaves out is that of [network]', () => {
    const text =
      '[network]\nbacklog = 7\n[[listener]]\nname = "x"\nkind = "tcp"\nport = 9\nconnections_max = 5';
    expect(settingsOf(text).listeners[2]).toMatchObject({
      name: 'x',
      backlog: 7,
      connectionsMax: 5,
    });
  });
});
