import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setPassword } from '@robustmq/access';
import type { Connect } from '@robustmq/mqtt-codec';
import type { ByteConnection } from '@robustmq/transport';
import { afterAll, describe, expect, test } from 'vitest';
import { openAccess } from './open-access.ts';
import type { AccessSettings } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'robustmq-open-access-'));
afterAll(() => rmSync(directory, { recursive: true }));

const SETTINGS: AccessSettings = {
  allowAnonymousRemote: false,
  allowAnonymousLoopback: true,
  passwordFile: null,
  rulesFile: null,
  defaultVerdict: 'allow',
  certificateAsUsername: false,
  sysTopicsForAnonymousRemote: false,
};
const CLIENT = { clientId: 'c', username: null, remoteAddress: '127.0.0.1' };

function fileWith(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** As much of a connection as credentials are taken from. */
function from(
  remoteAddress: string,
  listener: { readonly loopback: boolean },
  commonName: string | null = null,
): ByteConnection {
  const clientCertificate = commonName === null ? null : { commonName };
  return {
    remoteAddress,
    listener: { name: 'tcp', ...listener },
    clientCertificate,
  } as ByteConnection;
}

function connectAs(username: string | null): Connect {
  return { clientId: 'c', username, password: null } as Connect;
}

describe('who is anonymous on loopback', () => {
  const rows = [
    ['127.0.0.1', true, 'accept', 'this machine through a loopback listener'],
    ['::1', true, 'accept', 'the same by IPv6'],
    ['::ffff:127.0.0.1', true, 'accept', 'the same by a mapped address'],
    [
      '203.0.113.7',
      true,
      'reject',
      'another machine, by the PROXY header of a balancer on this one',
    ],
    ['127.0.0.1', false, 'reject', 'a listener that others can reach, whoever comes'],
  ] as const;
  for (const [address, loopback, expected, why] of rows) {
    test(why, async () => {
      const { control } = await openAccess(SETTINGS);
      const verdict = control.authenticateNow(from(address, { loopback }), connectAs(null));
      expect(verdict?.verdict).toBe(expected);
    });
  }
});

describe('a certificate as user name', () => {
  const settings = { ...SETTINGS, certificateAsUsername: true };
  const remote = { loopback: false };

  test('lets its owner in, by the common name', async () => {
    const { control } = await openAccess(settings);
    const verdict = control.authenticateNow(from('203.0.113.7', remote, 'pump'), connectAs(null));
    expect(verdict).toEqual({ verdict: 'accept', username: 'pump', superuser: false });
  });

  test('does not let its owner in as somebody else', async () => {
    const { control } = await openAccess(settings);
    const verdict = control.authenticateNow(from('203.0.113.7', remote, 'pump'), connectAs('root'));
    expect(verdict).toEqual({ verdict: 'reject', reason: 'badCredentials' });
  });

  test('is no user name unless the settings say so', async () => {
    const { control } = await openAccess(SETTINGS);
    const verdict = control.authenticateNow(from('203.0.113.7', remote, 'pump'), connectAs(null));
    expect(verdict).toEqual({ verdict: 'reject', reason: 'notAuthorized' });
  });
});

describe('a verdict at once', () => {
  test('is had without a user name, and without a password file', async () => {
    const passwordFile = fileWith('users', '');
    await setPassword(passwordFile, { username: 'alice', password: Buffer.from('secret') });
    const guarded = await openAccess({ ...SETTINGS, passwordFile });
    const here = from('127.0.0.1', { loopback: true });
    expect(guarded.control.authenticateNow(here, connectAs('alice'))).toBeNull();
    expect(guarded.control.authenticateNow(here, connectAs(null))?.verdict).toBe('accept');
    const open = await openAccess(SETTINGS);
    expect(open.control.authenticateNow(here, connectAs('alice'))).toEqual({
      verdict: 'accept',
      username: null,
      superuser: false,
    });
  });
});

describe('reading the rules again', () => {
  test('moves the revision, and tells anew whether anything can be refused', async () => {
    const rulesFile = fileWith('rules', '# nothing yet');
    const { control, reload } = await openAccess({ ...SETTINGS, rulesFile });
    expect(control.unrestricted).toBe(true);
    const before = control.revision;
    fileWith('rules', 'deny all secret');
    await reload();
    expect(control.unrestricted).toBe(false);
    expect(control.revision).toBeGreaterThan(before);
    expect(control.mayPublish(CLIENT, 'secret')).toBe(false);
    fileWith('rules', '');
    await reload();
    expect(control.unrestricted).toBe(true);
    expect(control.mayPublish(CLIENT, 'secret')).toBe(true);
  });

  test('changes nothing when the file is gone', async () => {
    const rulesFile = fileWith('vanishing', 'deny all secret');
    const { control, reload } = await openAccess({ ...SETTINGS, rulesFile });
    const before = control.revision;
    rmSync(rulesFile);
    const { lines } = await reload();
    expect(lines).toEqual([
      expect.stringMatching(/vanishing cannot be read: .*; the old rules stay$/),
    ]);
    expect(control.revision).toBe(before);
    expect(control.mayPublish(CLIENT, 'secret')).toBe(false);
  });

  const rows = [
    ['', 'deny', false, 'an empty file leaves everything to a default that refuses'],
    ['user alice', 'allow', false, "a file in Mosquitto's format refuses what it does not grant"],
    ['allow all #', 'allow', false, 'rules are asked, whatever they say'],
    ['', 'allow', true, 'an empty file leaves everything to a default that allows'],
  ] as const;
  for (const [text, defaultVerdict, expected, why] of rows) {
    test(why, async () => {
      const rulesFile = fileWith('scope', text);
      const { control } = await openAccess({ ...SETTINGS, defaultVerdict, rulesFile });
      expect(control.unrestricted).toBe(expected);
    });
  }
});

describe('a start', () => {
  test('ends with file and line of a password that is not hashed, and does not repeat it', async () => {
    const passwordFile = fileWith('plain', '# users\nalice:opensesame\n');
    const opening = openAccess({ ...SETTINGS, passwordFile });
    await expect(opening).rejects.toThrow(/plain:2: /);
    await expect(opening).rejects.not.toThrow(/opensesame/);
  });

  test('ends when a file is not there', async () => {
    const passwordFile = join(directory, 'missing');
    await expect(openAccess({ ...SETTINGS, passwordFile })).rejects.toThrow(
      /missing cannot be read/,
    );
  });
});

describe('$SYS may be read by', () => {
  const rows = [
    [null, '127.0.0.1', false, true, 'a client on this machine, whoever it is'],
    [null, '203.0.113.7', false, false, 'no stranger from elsewhere'],
    ['alice', '203.0.113.7', false, true, 'a user, from anywhere'],
    [null, '203.0.113.7', true, true, 'strangers, when somebody said so'],
  ] as const;
  for (const [username, remoteAddress, everybody, expected, why] of rows) {
    test(why, async () => {
      const settings = { ...SETTINGS, sysTopicsForAnonymousRemote: everybody };
      const { control } = await openAccess(settings);
      const client = { clientId: 'c', username, remoteAddress };
      expect(control.maySubscribe(client, '$SYS/#')).toBe(expected);
      expect(control.mayReceive(client, '$SYS/brokers/1/version')).toBe(expected);
      expect(control.maySubscribe(client, '#')).toBe(true);
    });
  }
});
