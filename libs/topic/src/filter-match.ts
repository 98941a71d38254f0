import { DOLLAR, HASH, PLUS, SLASH } from './character.ts';

/**
 * Whether a valid topic filter matches a valid topic name (MQTT-5.0 §4.7).
 *
 * One pass over both, no allocation. This is the reference that the trie and the tree agree with.
 */
export function filterMatchesTopic(filter: string, name: string): boolean {
  const first = filter.charCodeAt(0);
  // MQTT-5.0 [MQTT-4.7.2-1]: a filter that starts with a wildcard never sees `$SYS/…`.
  if (name.charCodeAt(0) === DOLLAR && (first === PLUS || first === HASH)) return false;
  let inFilter = 0;
  let inName = 0;
  for (;;) {
    const unit = filter.charCodeAt(inFilter);
    if (unit === HASH) return true;
    if (unit === PLUS) {
      inFilter += 1;
      while (inName < name.length && name.charCodeAt(inName) !== SLASH) inName += 1;
    } else {
      while (inFilter < filter.length && filter.charCodeAt(inFilter) !== SLASH) {
        if (filter.charCodeAt(inFilter) !== name.charCodeAt(inName)) return false;
        inFilter += 1;
        inName += 1;
      }
    }
    if (inFilter === filter.length) return inName === name.length;
    if (inName === name.length) return isHashTail(filter, inFilter);
    if (name.charCodeAt(inName) !== SLASH) return false;
    inFilter += 1;
    inName += 1;
  }
}

/** Whether the filter goes on with exactly `/#`, which also matches the parent level (MQTT-5.0 §4.7.1.2). */
export function isHashTail(filter: string, slash: number): boolean {
  return slash + 2 === filter.length && filter.charCodeAt(slash + 1) === HASH;
}
