import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeAccessFault } from './access-fault.ts';
import type { AuthenticationVerdict, Credentials } from './contract.ts';
import {
  DEFAULT_PASSWORD_FILE_LIMITS,
  openPasswordFile,
  type PasswordFileAuthenticator,
  type PasswordFileLimits,
} from './password-authenticator.ts';
import { parsePasswordFile } from './password-file.ts';
import { deletePassword, setPassword } from './password-file-edit.ts';
import { parsePasswordHash, verifyPassword } from './password-hash.ts';
import { VerificationQueue } from './verification-queue.ts';
import { VerifiedCredentials } from './verified-credentials.ts';

/** Made by mosquitto_passwd 2.0.11. */
const ALICE_6 =
  'alice:$6$A6lSg1z1xqLaeftY$e6JmPiPVHZfaw1CDlEkX6coh5hMHPz4NRU4vBEyzX/fOFQxsm8J4YXNJ3ElJuCFfby2rgWOZ0v6dYtuzMXAssA==';
const BOB_6 =
  'bob:$6$KS9xvWG0kP8iKXUp$/qkr315SPbpetSf38wjTzmBnCxQvvn3VU/4iQetzd3/StyzTMWFxwxgMo5r8mZ9IYJZf+oBqoPniH+U77g89IQ==';
const ALICE_7 =
  'alice:$7$101$nbkCwBBu5Kg+MrAx$8413j9NnbxpR8Pifd9DU+S4suzXTEnU1Kvefmanrk3m0vaOXJbIgENKkx8BWxfszFwq2zQBAuqsRgnsar7PPLA==';
const BLANK_7 =
  'user with blank:$7$101$zTx5QGEd9CCt1UO2$mg7RRJxBFrorvXjjmhCwAS3Atb/NSDoA0m3LKTFb4vs+Fzo5pcp1+jWh/76TlxBJWM13XaLYv/CkqatIq8oNAw==';

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'access-'));
  file = join(folder, 'passwords');
});
afterEach(() => rm(folder, { recursive: true }));

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function credentials(username: string | null, password: string | null): Credentials {
  return {
    clientId: 'c',
    username,
    password: password === null ? null : bytes(password),
    remoteAddress: '192.0.2.1',
    certificateCommonName: null,
    listenerName: 'tcp',
    loopback: false,
  };
}

async function opened(
  text: string,
  limits: PasswordFileLimits = DEFAULT_PASSWORD_FILE_LIMITS,
): Promise<PasswordFileAuthenticator> {
  await writeFile(file, text);
  const result = await openPasswordFile(file, limits);
  if (!result.ok) throw new Error(describeAccessFault(result.fault));
  return result.value;
}

function wordOf(verdict: AuthenticationVerdict): string {
  return verdict.verdict === 'reject' ? verdict.reason : verdict.verdict;
}

describe('stored passwords', () => {
  const rows = [
    [ALICE_6, 'correct horse', true, 'SHA-512'],
    [ALICE_6, 'correct horsf', false, 'SHA-512, wrong password'],
    [BOB_6, 'pässwörd', true, 'SHA-512, UTF-8'],
    [ALICE_7, 'correct horse', true, 'PBKDF2'],
    [ALICE_7, '', false, 'PBKDF2, empty password'],
    [BLANK_7, 'x:y', true, 'PBKDF2, a colon in the password'],
  ] as const;
  test.each(rows)('%s with %j: %s (%s)', async (line, password, expected) => {
    const hash = parsePasswordHash(line.slice(line.indexOf(':') + 1));
    expect(hash !== null && (await verifyPassword(hash, bytes(password)))).toBe(expected);
  });

  const salt = 'c2FsdHNhbHRzYWx0';
  const digest = Buffer.alloc(64).toString('base64');
  const malformed = [
    ['plain', 'a plain password'],
    ['$6$!!$AAAA', 'no base64'],
    [`$6$${salt}$AAAA`, 'a short digest'],
    [`$7$0$${salt}$${digest}`, 'no iterations'],
    [`$7$999999999$${salt}$${digest}`, 'minutes of work'],
    [`$scrypt$ln=24,r=64,p=1$${salt}$${digest}`, 'gigabytes of memory'],
    [`$scrypt$r=8,ln=14,p=1$${salt}$${digest}`, 'parameters in another order'],
    [`$9$${salt}$${digest}`, 'an unknown form'],
  ] as const;
  test.each(malformed)('%s is refused: %s', (text) => {
    expect(parsePasswordHash(text)).toBeNull();
  });

  const files = [
    ['# c\n\nalice', 3, 'no colon'],
    [`${ALICE_6}\n:x`, 2, 'no user name'],
    ['alice:secret-word', 1, 'a plain password'],
    [`${ALICE_6}\r\n${ALICE_7}`, 2, 'a user twice'],
  ] as const;
  test.each(files)('%j is faulty at line %i: %s', (text, line) => {
    const parsed = parsePasswordFile(text);
    expect(parsed.ok ? 0 : parsed.fault.line).toBe(line);
    expect(JSON.stringify(parsed)).not.toContain('secret-word');
  });
});

describe('the password file authenticator', () => {
  const rows = [
    ['alice', 'correct horse', 'accept', 'the right password'],
    ['alice', 'wrong', 'badCredentials', 'a wrong one'],
    ['alice', null, 'badCredentials', 'a user name without a password (CVE-2016-9877)'],
    ['carol', 'x', 'ignore', 'an unknown user is left to the next'],
    [null, null, 'ignore', 'no user name is left to the next'],
    ['user with blank', 'x:y', 'accept', 'a blank in the name'],
  ] as const;
  test.each(rows)('%j with %j: %s (%s)', async (username, password, expected) => {
    const authenticator = await opened(`${ALICE_7}\n${BLANK_7}\n`);
    for (const _ of ['derived', 'remembered']) {
      expect(wordOf(await authenticator.authenticate(credentials(username, password)))).toBe(
        expected,
      );
    }
  });

  test('answers at once for credentials it has verified, until a reload', async () => {
    const authenticator = await opened(ALICE_7);
    const asked = credentials('alice', 'correct horse');
    expect(authenticator.authenticate(asked)).toBeInstanceOf(Promise);
    await authenticator.authenticate(asked);
    expect(authenticator.authenticate(asked)).not.toBeInstanceOf(Promise);
    expect((await authenticator.reload()).ok).toBe(true);
    expect(authenticator.authenticate(asked)).toBeInstanceOf(Promise);
  });

  test('keeps its users when the file becomes unreadable or malformed', async () => {
    const authenticator = await opened(ALICE_7);
    await writeFile(file, `${ALICE_7}\nbroken`);
    const reloaded = await authenticator.reload();
    expect(reloaded.ok ? '' : describeAccessFault(reloaded.fault)).toBe(
      `${file}:2: expected "user:hash"`,
    );
    await rm(file);
    const missing = await authenticator.reload();
    expect(missing.ok ? '' : missing.fault.code).toBe('ACCESS_FILE_UNREADABLE');
    const verdict = await authenticator.authenticate(credentials('alice', 'correct horse'));
    expect(verdict.verdict).toBe('accept');
  });

  test('refuses as busy what its queue cannot hold, and derives equal credentials once', async () => {
    const limits = { ...DEFAULT_PASSWORD_FILE_LIMITS, runningMax: 1, waitingMax: 1 };
    const authenticator = await opened(ALICE_7, limits);
    const passwords = ['1', '2', '3', '3', '1'];
    const verdicts = await Promise.all(
      passwords.map(async (each) => authenticator.authenticate(credentials('alice', each))),
    );
    expect(verdicts.map(wordOf)).toEqual([
      'badCredentials',
      'badCredentials',
      'busy',
      'busy',
      'badCredentials',
    ]);
  });
});

describe('the verification queue', () => {
  test('hands places over in order and never runs more than allowed', async () => {
    const queue = new VerificationQueue({ runningMax: 2, waitingMax: 10, waitMsMax: 60_000 });
    const started: number[] = [];
    let running = 0;
    let runningSeen = 0;
    const outcomes = Array.from({ length: 8 }, (_, index) =>
      queue.run(async () => {
        started.push(index);
        running += 1;
        runningSeen = Math.max(runningSeen, running);
        await Promise.resolve();
        running -= 1;
        if (index === 3) throw new Error('expected');
        return index;
      }),
    );
    const settled = await Promise.allSettled(outcomes);
    expect(settled.map((each) => each.status === 'fulfilled')).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((index) => index !== 3),
    );
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(runningSeen).toBe(2);
  });

  test('does not run what has waited too long', async () => {
    const queue = new VerificationQueue({ runningMax: 1, waitingMax: 10, waitMsMax: -1 });
    const outcomes = [queue.run(async () => 1), queue.run(async () => 2), queue.run(async () => 3)];
    expect(await Promise.all(outcomes)).toEqual([1, 'busy', 'busy']);
    expect(await queue.run(async () => 4)).toBe(4);
  });
});

test('remembered credentials are bounded, and the least recently used go first', () => {
  const verified = new VerifiedCredentials(2);
  verified.add('a');
  verified.add('b');
  expect(verified.has('a')).toBe(true);
  verified.add('c');
  expect(['a', 'b', 'c'].map((key) => verified.has(key))).toEqual([true, false, true]);
  expect(verified.keyOf('ab', bytes('c'), 'h')).not.toBe(verified.keyOf('a', bytes('bc'), 'h'));
});

describe('editing a password file', () => {
  test('adds, changes and deletes users and keeps every other line', async () => {
    const before = `# a comment\n\n${ALICE_6}\n${BLANK_7}\n`;
    await writeFile(file, before, { mode: 0o644 });
    const dora = { username: 'dora', password: bytes('d1') };
    expect(await setPassword(file, dora)).toEqual({ ok: true, value: 'added' });
    expect((await readFile(file, 'utf8')).startsWith(before)).toBe(true);
    const changed = await setPassword(file, { username: 'alice', password: bytes('a2') });
    expect(changed).toEqual({ ok: true, value: 'changed' });
    const authenticator = await opened(await readFile(file, 'utf8'));
    for (const [username, password, verdict] of [
      ['alice', 'a2', 'accept'],
      ['alice', 'correct horse', 'badCredentials'],
      ['dora', 'd1', 'accept'],
      ['user with blank', 'x:y', 'accept'],
    ] as const) {
      const answer = await authenticator.authenticate(credentials(username, password));
      expect(wordOf(answer)).toBe(verdict);
    }
    expect(await deletePassword(file, 'dora')).toEqual({ ok: true, value: 'deleted' });
    expect(await deletePassword(file, 'dora')).toEqual({ ok: true, value: 'absent' });
    expect(await deletePassword(file, 'alice')).toEqual({ ok: true, value: 'deleted' });
    expect(await readFile(file, 'utf8')).toBe(`# a comment\n\n${BLANK_7}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['passwords']);
  });

  test('makes a missing file, and follows a symbolic link', async () => {
    const link = join(folder, 'link');
    expect((await setPassword(file, { username: 'e', password: bytes('x') })).ok).toBe(true);
    await symlink(file, link);
    expect((await setPassword(link, { username: 'f', password: bytes('x') })).ok).toBe(true);
    const parsed = parsePasswordFile(await readFile(file, 'utf8'));
    expect(parsed.ok && [...parsed.value.keys()]).toEqual(['e', 'f']);
  });

  test.each(['', 'a:b', '#a', ' a', 'a\n', 'a\tb'])(
    'refuses the user name %j',
    async (username) => {
      const result = await setPassword(file, { username, password: bytes('x') });
      expect(result.ok ? '' : result.fault.code).toBe('ACCESS_USERNAME_INVALID');
    },
  );

  test('leaves a malformed file alone', async () => {
    await writeFile(file, 'alice:plain\n');
    const result = await setPassword(file, { username: 'b', password: bytes('x') });
    expect(result.ok ? '' : result.fault.code).toBe('ACCESS_FILE_MALFORMED');
    expect(await readFile(file, 'utf8')).toBe('alice:plain\n');
    const missing = await deletePassword(join(folder, 'none'), 'b');
    expect(missing.ok ? '' : missing.fault.code).toBe('ACCESS_FILE_UNREADABLE');
  });
});

const hasMosquitto = spawnSync('mosquitto_passwd', ['-h']).error === undefined;
if (!hasMosquitto)
  console.warn('SKIPPED: mosquitto_passwd is not installed, so its files go untested');

test.skipIf(!hasMosquitto)('reads what the installed mosquitto_passwd writes', async () => {
  await writeFile(file, '');
  const made = spawnSync('mosquitto_passwd', ['-b', file, 'gina', 'g€heim']);
  expect(made.status).toBe(0);
  const authenticator = await opened(await readFile(file, 'utf8'));
  const verdict = await authenticator.authenticate(credentials('gina', 'g€heim'));
  expect(verdict.verdict).toBe('accept');
});
