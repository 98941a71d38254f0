import {
  type AccessFault,
  type Authenticator,
  createAnonymousAuthenticator,
  createAuthenticatorChain,
  createAuthorizerChain,
  createCertificateAuthenticator,
  DEFAULT_PASSWORD_FILE_LIMITS,
  describeAccessFault,
  openPasswordFile,
  openRulesFile,
  type PasswordFileAuthenticator,
  type RulesFileAuthorizer,
} from '@robustmq/access';
import type { Result } from '@robustmq/errors';
import { AccessControl } from './access-control.ts';
import type { AccessSettings } from './settings.ts';

/** The access files as opened, and how to read them again. */
export interface OpenedAccess {
  readonly control: AccessControl;
  /** Reads both files again. A file that cannot be used leaves what holds as it was. Never throws. */
  reload(): Promise<AccessReload>;
}

/** What came of reading the files again. */
export interface AccessReload {
  /** One sentence for each configured file. */
  readonly lines: readonly string[];
  /** Users whose account is gone or whose password is another one: their connections are to end. */
  readonly revokedUsernames: ReadonlySet<string>;
}

/**
 * Opens the files that the settings name.
 *
 * @throws Error when one of them cannot be read or understood; the message begins with `file:line`
 *   where there is a line
 */
export async function openAccess(settings: AccessSettings): Promise<OpenedAccess> {
  const { passwordFile, rulesFile } = settings;
  const passwords =
    passwordFile === null
      ? null
      : valueOrThrow(await openPasswordFile(passwordFile, DEFAULT_PASSWORD_FILE_LIMITS));
  const rules = rulesFile === null ? null : valueOrThrow(await openRulesFile(rulesFile));
  const control = new AccessControl(
    {
      authenticator: createAuthenticatorChain(authenticatorsOf(settings, passwords)),
      waiting: passwords === null ? 'never' : 'named',
      sysReaders: settings.sysTopicsForAnonymousRemote ? 'everybody' : 'known',
      authorizer: createAuthorizerChain(rules === null ? [] : [rules], settings.defaultVerdict),
    },
    scopeOf(settings, rules),
  );
  return { control, reload: () => reload(settings, control, { passwords, rules }) };
}

interface AccessFiles {
  readonly passwords: PasswordFileAuthenticator | null;
  readonly rules: RulesFileAuthorizer | null;
}

/**
 * In this order: a certificate, the password file, and at last clients without a user name. With a
 * password file a name that nobody vouches for is refused; without one such a client is let in like
 * one without a name, and rules about that name do not hold for it.
 */
function authenticatorsOf(
  settings: AccessSettings,
  passwords: PasswordFileAuthenticator | null,
): Authenticator[] {
  const anonymous = createAnonymousAuthenticator({
    loopback: settings.allowAnonymousLoopback ? 'accept' : 'refuse',
    remote: settings.allowAnonymousRemote ? 'accept' : 'refuse',
    unverifiedUser: passwords === null ? 'anonymous' : 'refuse',
  });
  return [
    ...(settings.certificateAsUsername ? [createCertificateAuthenticator()] : []),
    ...(passwords === null ? [] : [passwords]),
    anonymous,
  ];
}

/** Rules that refuse nothing: none at all, and a default that lets everything through. */
function scopeOf(
  settings: AccessSettings,
  rules: RulesFileAuthorizer | null,
): 'unrestricted' | 'restricted' {
  const noRules = rules === null || rules.isEmpty;
  return noRules && settings.defaultVerdict === 'allow' ? 'unrestricted' : 'restricted';
}

async function reload(
  settings: AccessSettings,
  control: AccessControl,
  { passwords, rules }: AccessFiles,
): Promise<AccessReload> {
  const lines: string[] = [];
  let revokedUsernames: ReadonlySet<string> = new Set();
  if (passwords !== null) {
    const loaded = await passwords.reload();
    if (loaded.ok) {
      const { file, userCount, changedUsernames } = loaded.value;
      revokedUsernames = new Set(changedUsernames);
      lines.push(`password file ${file}: read again, users: ${userCount}`);
    } else lines.push(`${describeAccessFault(loaded.fault)}; the old users stay`);
  }
  if (rules !== null) {
    const loaded = await rules.reload();
    if (loaded.ok) {
      control.rulesRead(scopeOf(settings, rules));
      lines.push(`rules file ${loaded.value.file}: read again, rules: ${loaded.value.ruleCount}`);
    } else lines.push(`${describeAccessFault(loaded.fault)}; the old rules stay`);
  }
  return { lines, revokedUsernames };
}

function valueOrThrow<Value>(result: Result<Value, AccessFault>): Value {
  if (result.ok) return result.value;
  throw new Error(describeAccessFault(result.fault));
}
