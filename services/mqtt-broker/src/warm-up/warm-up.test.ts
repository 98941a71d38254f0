import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeProblem, resolveConfiguration } from '@robustmq/config';
import { afterAll, describe, expect, test } from 'vitest';
import { brokerSchema } from '../configuration/schema.ts';
import { brokerSettingsFrom } from '../configuration/settings-from.ts';
import type { BrokerSettings } from '../settings.ts';
import { warmUp } from './warm-up.ts';

const parent = mkdtempSync(join(tmpdir(), 'warm-up-'));
const directory = join(parent, 'data');
afterAll(() => rmSync(parent, { recursive: true, force: true }));

function settingsOf(milliseconds: number, more = ''): BrokerSettings {
  const text = [
    'http_port = 0',
    '[network]\ntcp_port = 0\nwebsocket_port = "off"',
    `[storage]\ndirectory = ${JSON.stringify(directory)}`,
    `[system]\nwarm_up_ms = ${milliseconds}`,
    more,
  ].join('\n');
  const file = { name: 'test.toml', text };
  const resolved = resolveConfiguration(brokerSchema, { file, environment: {} });
  if (!resolved.ok) throw new Error(resolved.fault.map(describeProblem).join('\n'));
  const settings = brokerSettingsFrom(
    resolved.value,
    { memoryBytes: 2 ** 30, diskBytes: 2 ** 40 },
    '0.0.0',
  );
  if (!settings.ok) throw new Error(settings.fault.map(describeProblem).join('\n'));
  return settings.value;
}

describe('the warm-up', () => {
  const rows: readonly (readonly [milliseconds: number, more: string, why: string])[] = [
    [0, '', 'none is asked for'],
    [1, '', 'at least one round'],
    [200, '', 'the journal rolls over and checkpoints are written'],
    [1, '[limits]\nsessions_max = 2\nretained_messages_max = 3', 'what is refused does not matter'],
    [1, '[mqtt]\nmaximum_qos = 0\nretain_available = false', 'what is not offered is tried'],
  ];
  test.each(rows)(
    'of %i ms ends and leaves nothing behind (%s): %s',
    async (milliseconds, more) => {
      await warmUp(settingsOf(milliseconds, more));
      expect(readdirSync(parent)).toEqual([]);
    },
  );
});
