import { describeProblem, resolveConfiguration } from '@robustmq/config';
import { describe, expect, test } from 'vitest';
import { workerSettings } from '../worker-settings.ts';
import type { BrokerSettings } from '../settings.ts';
import { brokerSchema } from './schema.ts';
import { brokerSettingsFrom } from './settings-from.ts';

const MACHINE = { memoryBytes: 2 ** 30, diskBytes: 2 ** 40 };
const MEMBER = 'placement_center = ["127.0.0.1:1228"]\n';

function outcomeOf(text: string): BrokerSettings | string {
  const file = { name: 'test.toml', text };
  const resolved = resolveConfiguration(brokerSchema, { file, environment: {} });
  if (!resolved.ok) return resolved.fault.map(describeProblem).join('\n');
  const settings = brokerSettingsFrom(resolved.value, MACHINE, '0.0.0');
  return settings.ok ? settings.value : settings.fault.map(describeProblem).join('\n');
}

describe('several workers', () => {
  test('are members with numbers, ports and directories of their own, and share the listeners', () => {
    const settings = outcomeOf(`${MEMBER}workers = 3\nbroker_id = 2\ngrpc_port = 9981`);
    if (typeof settings === 'string') throw new Error(settings);
    const all = [1, 2, 3].map((worker) => workerSettings(settings, worker));
    expect(all.map(({ nodeId }) => nodeId)).toEqual([2, 1002, 2002]);
    expect(all.map(({ cluster }) => cluster?.port)).toEqual([9981, 10_981, 11_981]);
    expect(all.map(({ http }) => http.port)).toEqual([9982, 10_982, 11_982]);
    expect(new Set(all.map(({ storage }) => storage.directory)).size).toBe(3);
    for (const { listeners, cluster } of all) {
      expect(listeners.map(({ reusePort }) => reusePort)).toEqual([true, true]);
      expect(listeners.map(({ port }) => port)).toEqual(settings.listeners.map(({ port }) => port));
      expect(cluster?.mqttAddress).toBe('127.0.0.1:1883');
    }
  });

  const refused = [
    ['workers = 2', /one journal, and a journal has one writer/],
    [`${MEMBER}workers = 2\nbroker_id = 1001`, /at most 1000/],
    [`${MEMBER}workers = 64\ngrpc_port = 9981`, /grpc_port.*72981: above 65535/],
    [`${MEMBER}workers = 2\n[network]\ntcp_port = 0`, /workers share a port that they know/],
  ] as const;
  for (const [text, expected] of refused) {
    test(`are refused: ${String(expected)}`, () => expect(outcomeOf(text)).toMatch(expected));
  }

  test('may have any free ports', () => {
    const settings = outcomeOf(`${MEMBER}workers = 2\ngrpc_port = 0\nhttp_port = 0`);
    if (typeof settings === 'string') throw new Error(settings);
    const { cluster, http } = workerSettings(settings, 2);
    expect([cluster?.port, http.port]).toEqual([0, 0]);
  });
});
