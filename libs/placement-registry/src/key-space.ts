/**
 * How keys are spelled: `/robustmq/{cluster}/{registry}/{name}/{name}…`.
 *
 * A name may be any text; `%` and `/` inside it are written `%25` and `%2F`, so that every key splits
 * in one way only. All keys of a registry, or below its first names, are therefore one range.
 */

import type { KeyRange } from '@robustmq/placement';
import { RegistryError } from './registry-error.ts';

/** LIMIT: nameBytesMax (a name as UTF-8, escapes included). */
const nameBytesMax = 65_535;

const utf8 = new TextEncoder();

/** Where the registries of one cluster begin. @throws REGISTRY_INVALID */
export function clusterRoot(clusterName: string): string {
  return `/robustmq/${escapeName(clusterName)}/`;
}

/** The key of `names` below `prefix`, which ends in `/`. @throws REGISTRY_INVALID */
export function keyBelow(prefix: string, names: readonly string[]): string {
  return prefix + names.map(escapeName).join('/');
}

/** The names of a key below `prefix`. The inverse of {@link keyBelow}. */
export function namesBelow(prefix: string, key: string): readonly string[] {
  return key.slice(prefix.length).split('/').map(unescapeName);
}

/** Every key that begins with `prefix`, which ends in `/`. */
export function rangeBelow(prefix: string): KeyRange {
  // '0' follows '/' in UTF-8 and in UTF-16, so nothing lies between the last key below and this.
  return { first: prefix, after: `${prefix.slice(0, -1)}0` };
}

/** The one key. */
export function rangeOfKey(key: string): KeyRange {
  return { first: key, after: successorOf(key) };
}

/** The first key after `key`. */
export function successorOf(key: string): string {
  return `${key}\u0000`;
}

function escapeName(name: string): string {
  if (name === '') throw invalid('a name is empty');
  if (!name.isWellFormed()) throw invalid('a name has a lone surrogate');
  const escaped = name.replaceAll('%', '%25').replaceAll('/', '%2F');
  const bytes = utf8.encode(escaped).length;
  if (bytes > nameBytesMax) throw invalid(`a name of ${bytes} bytes exceeds ${nameBytesMax}`);
  return escaped;
}

function unescapeName(text: string): string {
  return text.replaceAll('%2F', '/').replaceAll('%25', '%');
}

function invalid(detail: string): RegistryError {
  return new RegistryError({ code: 'REGISTRY_INVALID', detail });
}
