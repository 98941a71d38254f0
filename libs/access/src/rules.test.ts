import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeAccessFault } from './access-fault.ts';
import {
  createAnonymousAuthenticator,
  createCertificateAuthenticator,
} from './built-in-authenticators.ts';
import { createAuthenticatorChain, createAuthorizerChain } from './chain.ts';
import type { AccessAction, Authenticator, Credentials } from './contract.ts';
import { RuleSet } from './rule-set.ts';
import { openRulesFile } from './rules-authorizer.ts';
import { parseRulesFile } from './rules-file.ts';

/** A client written as `user@clientId`; an empty user is none. */
function decide(text: string, who: string, action: AccessAction, topic: string): string {
  const parsed = parseRulesFile(text);
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  const at = who.indexOf('@');
  const username = at === 0 ? null : who.slice(0, at);
  const client = { username, clientId: who.slice(at + 1), remoteAddress: '192.0.2.1' };
  const verdict = new RuleSet(parsed.value.rules).decide(client, action, topic);
  return verdict === 'ignore' ? parsed.value.otherwise : verdict;
}

const ROBUST = `
  # Comments start a line; a filter may have a #.
allow publish user alice a/#
deny  all     client "bad \\"one\\"" #
allow all     user "with blank" "b c/+"
deny  subscribe secret/#
allow subscribe anonymous open/+
allow all     dev/%u/#
allow publish c/id-%c
allow publish %u/own
allow subscribe all public/#
allow all all
deny publish $SYS/#
`;

describe('rules in our own format', () => {
  const rows = [
    ['alice@x', 'publish', 'a/b', 'allow', 'her own rule'],
    ['bob@x', 'publish', 'a/b', 'ignore', "another's rule"],
    ['alice@bad "one"', 'publish', 'a/b', 'allow', 'the earlier rule wins over the later'],
    ['bob@bad "one"', 'publish', 'all', 'deny', 'by client identifier, with quotes'],
    ['with blank@x', 'receive', 'b c/d', 'allow', 'quoted words'],
    ['bob@x', 'subscribe', 'secret/x', 'deny', 'a filter that is covered'],
    ['bob@x', 'subscribe', 'secret/+/#', 'deny', 'a wildcard filter that is covered'],
    ['bob@x', 'subscribe', '#', 'allow', 'a subscription around a denial'],
    ['bob@x', 'receive', 'secret/x', 'deny', 'what the denial takes out of it'],
    ['@x', 'subscribe', 'open/a', 'allow', 'no user name'],
    ['bob@x', 'subscribe', 'open/a', 'ignore', 'a user name'],
    ['bob@x', 'publish', 'dev/bob/a', 'allow', '%u'],
    ['bob@x', 'publish', 'dev/alice/a', 'ignore', '%u of another'],
    ['@x', 'publish', 'dev/', 'ignore', 'no user name for %u'],
    ['+@x', 'subscribe', 'dev/alice/a', 'ignore', 'CVE-2017-7650: + in a user name'],
    ['#@x', 'publish', 'dev/a', 'ignore', 'CVE-2017-7650: # in a user name'],
    ['a/b@x', 'publish', 'dev/a/b/c', 'ignore', 'a user name with a slash'],
    ['bob@7', 'publish', 'c/id-7', 'allow', '%c as a part of a level'],
    ['bob@+', 'publish', 'c/id-+', 'ignore', 'CVE-2017-7650: + in a client identifier'],
    ['$SYS@x', 'publish', '$SYS/own', 'deny', 'a user name that starts with $'],
    ['bob@x', 'receive', 'public/a', 'allow', 'the subject all'],
    ['bob@x', 'publish', 'all', 'allow', 'three words: the last is a filter'],
    ['bob@x', 'publish', 'public/a', 'ignore', 'subscribe rules do not cover publishing'],
  ] as const;
  test.each(rows)('%s may %s %s: %s (%s)', (who, action, topic, expected) => {
    expect(decide(ROBUST, who, action, topic)).toBe(expected);
  });

  const faults = [
    ['allow publish', 1, 'no filter'],
    ['\n#\npermit all #', 3, 'an unknown verdict'],
    ['allow write a', 1, 'an unknown action'],
    ['allow all group g a', 1, 'an unknown subject'],
    ['allow all user a', 1, 'a subject without a filter'],
    ['allow all user "a b', 1, 'an open quote'],
    ['allow all a/#/b', 1, 'an invalid filter'],
    ['allow all a%u+', 1, 'an invalid filter around a placeholder'],
    ['allow all a\nuser b', 2, 'the other format'],
    ['user b\nallow all a', 2, 'our format in the other'],
    ['topic a b', 1, 'a filter with a blank and no access'],
    ['user', 1, 'no name'],
    ['topic read a#', 1, 'an invalid filter'],
  ] as const;
  test.each(faults)('%j is faulty at line %i: %s', (text, line) => {
    const parsed = parseRulesFile(text);
    expect(parsed.ok ? 0 : parsed.fault.line).toBe(line);
  });
});

const MOSQUITTO = `
topic read open/#
user alice b
topic readwrite mine/#
topic deny mine/secret/#
topic %u/literal
topic write two words/a
user bob
topic read #
pattern write out/%u/%c
pattern deny never/#
`;

describe("rules in Mosquitto's format", () => {
  const rows = [
    ['@x', 'receive', 'open/a', 'allow', 'the section before any user'],
    ['bob@x', 'publish', 'open/a', 'deny', 'is not for users'],
    ['@x', 'publish', 'open/a', 'deny', 'read is not write'],
    ['alice b@x', 'publish', 'mine/a', 'allow', 'readwrite; a blank in the name'],
    ['alice b@x', 'publish', 'mine/secret/a', 'deny', 'a denial wins wherever it stands'],
    ['alice b@x', 'subscribe', 'mine/#', 'allow', 'a subscription around a denial'],
    ['alice b@x', 'publish', '%u/literal', 'allow', 'topic lines do not expand'],
    ['alice b@x', 'publish', 'two words/a', 'allow', 'a blank in the filter'],
    ['bob@x', 'receive', 'any/thing', 'allow', 'everything'],
    ['bob@x', 'receive', '$SYS/a', 'deny', '# spares $'],
    ['bob@x', 'receive', 'never/a', 'deny', 'the denial of a pattern holds for all'],
    ['bob@7', 'publish', 'out/bob/7', 'allow', 'a pattern'],
    ['bob@#', 'publish', 'out/bob/7', 'deny', 'CVE-2017-7650'],
    ['@7', 'publish', 'out//7', 'deny', 'no user name for %u'],
    ['carol@x', 'subscribe', 'open/a', 'deny', 'nothing is granted'],
  ] as const;
  test.each(rows)('%s may %s %s: %s (%s)', (who, action, topic, expected) => {
    expect(decide(MOSQUITTO, who, action, topic)).toBe(expected);
  });
});

test('a rules file is reloaded as a whole or not at all', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'access-'));
  try {
    const file = join(folder, 'rules');
    const client = { username: 'a', clientId: 'c', remoteAddress: '192.0.2.1' };
    await writeFile(file, 'allow all a/#\n');
    const opened = await openRulesFile(file);
    if (!opened.ok) throw new Error(describeAccessFault(opened.fault));
    const rules = opened.value;
    const chain = createAuthorizerChain([rules], 'deny');
    const [first, chained] = [rules.revision, chain.revision];
    await writeFile(file, 'deny all a/#\nnonsense\n');
    const refused = await rules.reload();
    expect(refused.ok ? '' : describeAccessFault(refused.fault)).toBe(
      `${file}:2: expected "allow" or "deny" first`,
    );
    expect([rules.revision, rules.authorize(client, 'publish', 'a/b')]).toEqual([first, 'allow']);
    await writeFile(file, 'deny all a/#\n');
    expect(await rules.reload()).toEqual({
      ok: true,
      value: { file, format: 'robust', ruleCount: 1 },
    });
    expect(rules.revision).toBeGreaterThan(first);
    expect(chain.revision).toBeGreaterThan(chained);
    expect(rules.authorize(client, 'publish', 'a/b')).toBe('deny');
    expect(rules.authorize(client, 'publish', 'b')).toBe('ignore');
    expect(chain.authorize(client, 'publish', 'b')).toBe('deny');
    expect(createAuthorizerChain([rules], 'allow').authorize(client, 'publish', 'b')).toBe('allow');
  } finally {
    await rm(folder, { recursive: true });
  }
});

function credentials(change: Partial<Credentials>): Credentials {
  return {
    clientId: 'c',
    username: null,
    password: null,
    remoteAddress: '192.0.2.1',
    certificateCommonName: null,
    listenerName: 'tcp',
    loopback: false,
    ...change,
  };
}

describe('a chain of authenticators', () => {
  const later: Authenticator = {
    name: 'later',
    authenticate: async ({ username }) =>
      username === 'slow' ? { verdict: 'reject', reason: 'busy' } : { verdict: 'ignore' },
  };
  const certificate = createCertificateAuthenticator();
  const strict = createAnonymousAuthenticator({
    remote: 'refuse',
    loopback: 'accept',
    unverifiedUser: 'refuse',
  });
  const open = createAnonymousAuthenticator({
    remote: 'accept',
    loopback: 'accept',
    unverifiedUser: 'anonymous',
  });
  const nobody = { verdict: 'accept', username: null, superuser: false };
  const rows = [
    [[strict], {}, { verdict: 'reject', reason: 'notAuthorized' }, 'nobody vouches'],
    [[strict], { loopback: true }, nobody, 'anonymous through loopback'],
    [
      [later, strict],
      { loopback: true, username: 'u' },
      { verdict: 'reject', reason: 'badCredentials' },
      'an unverified user',
    ],
    [[later, open], { username: 'u' }, nobody, 'an unverified name is not kept'],
    [
      [later, open],
      { username: 'slow' },
      { verdict: 'reject', reason: 'busy' },
      'the first decides',
    ],
    [
      [certificate, strict],
      { certificateCommonName: 'dev' },
      { verdict: 'accept', username: 'dev', superuser: false },
      'a certificate',
    ],
    [
      [certificate, open],
      { certificateCommonName: 'dev', username: 'root' },
      { verdict: 'reject', reason: 'badCredentials' },
      'a certificate of somebody else',
    ],
  ] as const;
  test.each(rows)('%#: %j %j gives %j (%s)', async (members, change, expected) => {
    const chain = createAuthenticatorChain(members);
    expect(await chain.authenticate(credentials(change))).toEqual(expected);
  });

  test('answers at once when its members do', () => {
    const verdict = createAuthenticatorChain([certificate, open]).authenticate(credentials({}));
    expect(verdict).toEqual(nobody);
  });
});
