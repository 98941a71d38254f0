import { hasWildcard, NameTree } from '@robustmq/topic';
import { RetainedHome } from './retained-home.ts';

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
const SLASH = 0x2f;
/** A home with its places in tree and map. */
const HOME_BYTES = 600;

/** A part of a walk: homes, and what is wanted of each. */
export interface WalkStage {
  readonly homes: { next(max: number): readonly (readonly [name: string, home: RetainedHome])[] };
  /** The last level in UTF-8; null: every message of the home. */
  readonly lastLevel: Uint8Array | null;
  /** A wildcard at the first level spares names that start with `$` (MQTT-5.0 [MQTT-4.7.2-1]). */
  readonly sparesDollar: boolean;
}

/**
 * Which retained messages does a filter match? Their names are sorted by *home*: what stands before
 * the last `/`. Only homes are in a tree, and only they have a text, so that a new message at a home
 * that is known costs two look-ups by hash and no object.
 */
export class RetainedNames {
  readonly #tree = new NameTree<RetainedHome>();
  /** Names without a `/`. */
  readonly #root = new RetainedHome('', null, 0);
  readonly #byHash = new Map<number, RetainedHome>();
  /** By slot, as its serial there. */
  readonly #homeOf: (RetainedHome | null)[] = [];
  readonly #serialOf: number[] = [];

  /** What the homes cost, without the root. */
  homeBytes = 0;

  /** @param prefixLength  of what stands before the last `/` of the name; -1: it has none */
  add(slot: number, name: Uint8Array, prefixHash: number, prefixLength: number): void {
    const home = prefixLength < 0 ? this.#root : this.#homeFor(name, prefixHash, prefixLength);
    this.#homeOf[slot] = home;
    this.#serialOf[slot] = home.add(slot);
  }

  remove(slot: number): void {
    const home = this.#homeOf[slot] ?? null;
    if (home === null) return;
    this.#homeOf[slot] = null;
    home.remove(this.#serialOf[slot] as number);
    if (home.count === 0 && home !== this.#root) this.#drop(home);
  }

  /** The walk for a filter with wildcards, whose UTF-8 form is `bytes`. */
  stagesOf(filter: string, bytes: Uint8Array): WalkStage[] {
    const slash = filter.lastIndexOf('/');
    const last = filter.slice(slash + 1);
    const sparesDollar = filter.startsWith('#') || filter.startsWith('+');
    const stages: WalkStage[] = [];
    if (slash < 0) {
      stages.push({ homes: onlyOne(this.#root), lastLevel: null, sparesDollar });
      if (last === '#')
        stages.push({ homes: this.#tree.cursor('#'), lastLevel: null, sparesDollar });
      return stages;
    }
    const before = filter.slice(0, slash);
    const slashAt = bytes.lastIndexOf(SLASH);
    if (last === '#') {
      // `a/#` matches `a` too (MQTT-5.0 §4.7.1.2).
      stages.push(...this.#stagesOfSame(before, bytes.subarray(0, slashAt)));
      stages.push({ homes: this.#tree.cursor(filter), lastLevel: null, sparesDollar });
      return stages;
    }
    const lastLevel = last === '+' ? null : bytes.slice(slashAt + 1);
    stages.push({ homes: this.#tree.cursor(before), lastLevel, sparesDollar });
    return stages;
  }

  #stagesOfSame(filter: string, bytes: Uint8Array): WalkStage[] {
    if (hasWildcard(filter)) return this.stagesOf(filter, bytes);
    const slash = filter.lastIndexOf('/');
    const lastLevel = bytes.slice(bytes.lastIndexOf(SLASH) + 1);
    const homes = slash < 0 ? onlyOne(this.#root) : this.#tree.cursor(filter.slice(0, slash));
    return [{ homes, lastLevel, sparesDollar: false }];
  }

  #homeFor(name: Uint8Array, hash: number, length: number): RetainedHome {
    const first = this.#byHash.get(hash) ?? null;
    for (let home = first; home !== null; home = home.nextOfHash) {
      if (home.isPrefix(name, length)) return home;
    }
    const prefix = name.slice(0, length);
    const home = new RetainedHome(UTF8.decode(prefix), prefix, hash);
    home.nextOfHash = first;
    this.#byHash.set(hash, home);
    this.#tree.set(home.text, home);
    this.homeBytes += costOf(home);
    return home;
  }

  #drop(home: RetainedHome): void {
    this.#tree.delete(home.text);
    this.homeBytes -= costOf(home);
    const first = this.#byHash.get(home.hash) ?? null;
    if (first !== home) {
      for (let at = first; at !== null; at = at.nextOfHash) {
        if (at.nextOfHash === home) at.nextOfHash = home.nextOfHash;
      }
    } else if (home.nextOfHash === null) this.#byHash.delete(home.hash);
    else this.#byHash.set(home.hash, home.nextOfHash);
  }
}

/** Its bytes, its text, and what every home has. */
function costOf(home: RetainedHome): number {
  return HOME_BYTES + 2 * home.bytes.length;
}

function onlyOne(home: RetainedHome): WalkStage['homes'] {
  let isLeft = true;
  return {
    next: () => {
      if (!isLeft) return [];
      isLeft = false;
      return [['', home]];
    },
  };
}
