import { resolveConfiguration } from '@robustmq/config';
import { describe, expect, test } from 'vitest';
import type { PlacementCenterSettings } from '../settings.ts';
import { placementCenterSchema } from './schema.ts';
import { placementCenterSettingsFrom } from './settings-from.ts';

/** The settings, or what is wrong: one text a problem. */
function read(text: string): PlacementCenterSettings | readonly string[] {
  const file = { name: 'test.toml', text };
  const resolved = resolveConfiguration(placementCenterSchema, { file, environment: {} });
  if (!resolved.ok) return resolved.fault.map(({ key, message }) => `${key} ${message}`);
  const settings = placementCenterSettingsFrom(resolved.value, '1');
  return settings.ok
    ? settings.value
    : settings.fault.map(({ key, message }) => `${key} ${message}`);
}

const THREE = 'nodes = { 1 = "a:1228", 2 = "b:1228", 3 = "c:1228" }';

describe('a configuration that cannot work is told', () => {
  const rows = [
    ['nodes = { 2 = "b:1228" }', 'is not among them', 'the own number is missing'],
    ['nodes = { 1 = "a:1228", 2 = "a:1228" }', 'its own address', 'one address for two'],
    ['nodes = { 1 = "a" }', 'expected "host:port"', 'no port'],
    ['nodes = { one = "a:1228" }', 'node numbers', 'a name instead of a number'],
    [`${THREE}\ngrpc_port = 9`, 'reach this member at a:1228', 'another port than the others use'],
    ['join = true', 'names no other member', 'nobody to join'],
    ['addr = "0.0.0.0"', 'cluster_token_file', 'open to everybody'],
    ['backend = "etcd"', 'etcd.endpoints', 'an etcd that is nowhere'],
    ['[tls]\nenable = true', 'tls.cert', 'TLS without a certificate'],
    [
      '[tls]\nenable = true\ncert = "a"\nkey = "b"\nclient_certificate = "required"',
      'tls.ca',
      'nobody to vouch for clients',
    ],
    ['[raft]\nheartbeat_ms = 400', 'raft.election_timeout_ms', 'elections within two heartbeats'],
  ] as const;
  for (const [text, expected, why] of rows) {
    test(why, () => expect(read(text)).toContainEqual(expect.stringContaining(expected)));
  }
});

test('times are counted in ticks, and the founders are those of nodes', () => {
  expect(read(THREE)).toMatchObject({
    start: 'found',
    nodes: new Map([
      [1, 'a:1228'],
      [2, 'b:1228'],
      [3, 'c:1228'],
    ]),
    raft: { tickMs: 50, electionTimeoutTicks: 10, heartbeatTicks: 2 },
  });
});

test('keys of RobustMQ files that mean nothing here are accepted', () => {
  expect(
    read('runtime_work_threads = 4\nlog_segment_size = 1048576\n[rocksdb]\nmax_open_files = 9'),
  ).toMatchObject({
    nodeId: 1,
  });
});
