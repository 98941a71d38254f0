import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { connectionFrom } from './connection.ts';
import type { ServerFlags } from './server-flags.ts';

const directory = mkdtempSync(join(tmpdir(), 'robustmq-connection-'));
afterAll(() => rmSync(directory, { recursive: true }));

function flagsWithToken(text: string): ServerFlags {
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, text);
  return { tokenFile, timeout: 1 } as ServerFlags;
}

test('the token is the first line of its file', () => {
  expect(connectionFrom(flagsWithToken('secret\r\nmore')).token).toBe('secret');
});

test('a file without a token is refused before anybody is asked', () => {
  expect(() => connectionFrom(flagsWithToken('\nsecret'))).toThrow(/first line of .* is empty/);
});

test('an address is a host and a port', () => {
  const flags: ServerFlags = { ...flagsWithToken('secret'), server: ['localhost'] };
  expect(() => connectionFrom(flags)).toThrow('"localhost" is no address of a member');
});
