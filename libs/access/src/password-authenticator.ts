import { createHash, randomBytes } from 'node:crypto';
import { fail, type Result, succeed } from '@robustmq/errors';
import { type AccessFault, malformed, readAccessFile } from './access-fault.ts';
import type { AuthenticationVerdict, Authenticator, Credentials } from './contract.ts';
import { type PasswordEntry, parsePasswordFile } from './password-file.ts';
import { imitationHash, verifyPassword } from './password-hash.ts';
import { type VerificationLimits, VerificationQueue } from './verification-queue.ts';
import { VerifiedCredentials } from './verified-credentials.ts';

export interface PasswordFileLimits extends VerificationLimits {
  /** Verified credentials that are remembered; 0 turns it off. */
  readonly rememberedMax: number;
}

/** What holds unless the operator says otherwise. */
export const DEFAULT_PASSWORD_FILE_LIMITS: PasswordFileLimits = {
  runningMax: 2,
  waitingMax: 1024,
  waitMsMax: 10_000,
  rememberedMax: 100_000,
};

export interface PasswordFileSummary {
  readonly file: string;
  readonly userCount: number;
  /** Users of the file as it was before who are gone or have another hash now. */
  readonly changedUsernames: readonly string[];
}

/** Reads the file for the first time. */
export async function openPasswordFile(
  file: string,
  limits: PasswordFileLimits,
): Promise<Result<PasswordFileAuthenticator, AccessFault>> {
  const authenticator = new PasswordFileAuthenticator(file, limits);
  const loaded = await authenticator.reload();
  return loaded.ok ? succeed(authenticator) : loaded;
}

/**
 * Accepts the users of a password file.
 *
 * A client without a user name, and a user the file does not have, are left to the next
 * authenticator; a user name without a password is refused. An unknown user costs what a known one
 * costs: the hash of some user of the file is worked out for it. Never throws.
 */
export class PasswordFileAuthenticator implements Authenticator {
  readonly name = 'passwordFile';
  readonly #file: string;
  readonly #queue: VerificationQueue;
  readonly #verified: VerifiedCredentials;
  /** Verifications under way, by key: a thousand devices with one account derive it once. */
  readonly #underWay = new Map<string, Promise<boolean | 'busy'>>();
  readonly #imitation: PasswordEntry;
  #entries: ReadonlyMap<string, PasswordEntry> = new Map();
  #imitations: readonly PasswordEntry[] = [];

  /** Use `openPasswordFile`: without a first `reload` nobody is known. */
  constructor(file: string, limits: PasswordFileLimits) {
    this.#file = file;
    this.#queue = new VerificationQueue(limits);
    this.#verified = new VerifiedCredentials(limits.rememberedMax);
    this.#imitation = { username: '', hash: imitationHash(randomBytes(16)), hashText: '' };
  }

  /** Reads the file again and forgets what was verified. On a fault the users from before stay. */
  async reload(): Promise<Result<PasswordFileSummary, AccessFault>> {
    const text = await readAccessFile(this.#file);
    if (!text.ok) return text;
    const entries = parsePasswordFile(text.value);
    if (!entries.ok) return fail(malformed(this.#file, entries.fault));
    const changedUsernames = [...this.#entries.values()]
      .filter((before) => entries.value.get(before.username)?.hashText !== before.hashText)
      .map((before) => before.username);
    this.#entries = entries.value;
    this.#imitations = [...entries.value.values()];
    this.#verified.clear();
    return succeed({ file: this.#file, userCount: entries.value.size, changedUsernames });
  }

  authenticate(credentials: Credentials): AuthenticationVerdict | Promise<AuthenticationVerdict> {
    const { username, password } = credentials;
    if (username === null) return { verdict: 'ignore' };
    if (password === null) return { verdict: 'reject', reason: 'badCredentials' };
    const known = this.#entries.get(username);
    const entry = known ?? this.#imitationFor(username);
    const key = this.#verified.keyOf(username, password, entry.hashText);
    if (known !== undefined && this.#verified.has(key)) return accept(username);
    return this.#verify(entry, { username, password, key, isKnown: known !== undefined });
  }

  async #verify(
    entry: PasswordEntry,
    asked: { username: string; password: Uint8Array; key: string; isKnown: boolean },
  ): Promise<AuthenticationVerdict> {
    let verification = this.#underWay.get(asked.key);
    if (verification === undefined) {
      // The password is copied: the caller's bytes may be a view of a buffer that is reused.
      const password = Uint8Array.from(asked.password);
      verification = this.#queue.run(() => verifyPassword(entry.hash, password));
      this.#underWay.set(asked.key, verification);
    }
    try {
      const outcome = await verification;
      if (outcome === 'busy') return { verdict: 'reject', reason: 'busy' };
      if (!asked.isKnown) return { verdict: 'ignore' };
      if (!outcome) return { verdict: 'reject', reason: 'badCredentials' };
    } catch {
      // Deriving failed for want of memory or threads: not the client's fault, and not a pass.
      return { verdict: 'reject', reason: 'busy' };
    } finally {
      this.#underWay.delete(asked.key);
    }
    // A reload meanwhile may have given the user another password: then the client comes again.
    if (this.#entries.get(asked.username)?.hashText !== entry.hashText) {
      return { verdict: 'reject', reason: 'badCredentials' };
    }
    this.#verified.add(asked.key);
    return accept(asked.username);
  }

  /** Which user's hash an unknown user is put to: always the same one for the same name. */
  #imitationFor(username: string): PasswordEntry {
    const number = createHash('sha256')
      .update(this.#imitation.hash.salt)
      .update(username)
      .digest()
      .readUInt32LE(0);
    return this.#imitations[number % Math.max(1, this.#imitations.length)] ?? this.#imitation;
  }
}

function accept(username: string): AuthenticationVerdict {
  return { verdict: 'accept', username, superuser: false };
}
