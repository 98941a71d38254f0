/**
 * Who may connect.
 *
 * Key: `users/{username}`. Value: {@link UserRecord}. The hash is stored as it is given: this registry
 * neither hashes nor compares, and never shows it (see `SecretText`).
 */

import { RecordRegistry } from './record-registry.ts';
import { fields, flag, type RecordShape, text } from './record-shape.ts';
import type { RegistryStore } from './registry-store.ts';
import { SecretText } from './secret-text.ts';

/** One user. */
export interface UserRecord {
  readonly username: string;
  /** As the broker's password check wants it, such as `$scrypt$…`. */
  readonly passwordHash: SecretText;
  /** Access rules do not apply. */
  readonly isSuperuser: boolean;
}

const secretText: RecordShape<SecretText> = {
  read: (json, path) => new SecretText(text.read(json, path)),
  write: (value) => value.reveal(),
};

/** The users of one cluster, by name. */
export function userRegistry(store: RegistryStore): RecordRegistry<UserRecord> {
  return new RecordRegistry(store, {
    registry: 'users',
    shape: fields<UserRecord>({ username: text, passwordHash: secretText, isSuperuser: flag }),
    namesOf: (user) => [user.username],
  });
}
