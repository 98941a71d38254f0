import { describeProblem, effectiveSettings, resolveConfiguration } from '@robustmq/config';
import { describe, expect, test } from 'vitest';
import type { MediaSettings } from '../media-settings.ts';
import { brokerSchema } from './schema.ts';
import { brokerSettingsFrom } from './settings-from.ts';

const machine = { memoryBytes: 2 ** 33, diskBytes: 2 ** 40 };

function mediaOf(text: string): MediaSettings | string {
  const file = { name: 'f.toml', text };
  const resolved = resolveConfiguration(brokerSchema, { file, environment: {} });
  if (!resolved.ok) return resolved.fault.map(describeProblem).join('\n');
  const settings = brokerSettingsFrom(resolved.value, machine, '0.0.0');
  return settings.ok
    ? settings.value.storage.media
    : settings.fault.map(describeProblem).join('\n');
}

const JETSTREAM = '[storage]\nstorage_type = "jetstream"\n[jetstream]\nservers = ["n1:4222"]\n';
const S3 = '[storage]\nstorage_type = "s3"\n[s3]\nbucket = "b"\n';
const POSTGRES = '[storage]\nstorage_type = "postgres"\n[postgres]\nhost = "db"\n';

describe('a medium that cannot work is refused', () => {
  const rows = [
    ['[storage]\nstorage_type = "jetstream"', 'jetstream.servers', 'no server'],
    [JETSTREAM.replace('n1', 'user:pw@n1'), 'jetstream.servers', 'a password in an address'],
    [`${JETSTREAM}prefix = "a.b"`, 'jetstream.prefix', 'a name that NATS does not take'],
    [`${JETSTREAM}user = "u"\ntoken = "t"`, 'jetstream.token', 'two ways to be let in'],
    ['[storage]\nstorage_type = "postgres"', 'postgres.host', 'no host'],
    ['[storage]\nstorage_type = "s3"', 's3.bucket', 'no bucket'],
    [`${S3}prefix = "a/"`, 's3.prefix', 'a slash too many'],
    [`${S3}access_key_id = "k"`, 's3.access_key_id', 'a key without its secret'],
    [`${POSTGRES}schema = "a\\"b"`, 'postgres.schema', 'a schema that would need quotes'],
  ] as const;
  for (const [text, key, why] of rows) {
    test(why, () => {
      expect(mediaOf(text)).toContain(key);
      expect(mediaOf(text)).not.toContain('pw');
    });
  }

  test('the sections of the others are not looked at', () => {
    expect(mediaOf('[postgres]\nschema = "A B"')).toMatchObject({ postgres: { schema: 'A B' } });
  });
});

test('what is empty is left out, so that no empty password is sent', () => {
  expect(mediaOf(JETSTREAM)).toMatchObject({
    jetstream: { servers: ['n1:4222'], replicas: 3, serverFlush: 'interval' },
  });
  const { jetstream, postgres } = mediaOf(JETSTREAM) as MediaSettings;
  for (const name of ['user', 'password', 'token', 'tls'])
    expect(jetstream).not.toHaveProperty(name);
  expect(postgres).not.toHaveProperty('password');
});

test('no password is shown', () => {
  const text =
    '[jetstream]\npassword = "hidden"\ntoken = "hidden"\n[postgres]\npassword = "hidden"\n[s3]\nsecret_access_key = "hidden"';
  const file = { name: 'f.toml', text };
  const resolved = resolveConfiguration(brokerSchema, { file, environment: {} });
  const shown = resolved.ok ? JSON.stringify(effectiveSettings(resolved.value.settings)) : '';
  expect(shown).toContain('postgres.password');
  expect(shown).not.toContain('hidden');
});
