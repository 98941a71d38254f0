import type { RegistryChange, RegistryWatch } from './registry-watch.ts';

/**
 * The records of a registry in memory, as a watch tells of them. A record that this version cannot read
 * stays as it was known, or unknown: it does not stop those who work on the others.
 */
export class WatchedRecords<Value> {
  readonly #watch: RegistryWatch<Value>;
  readonly #records = new Map<string, Value>();
  #isListed = false;

  /** The watch belongs to this from now on. */
  constructor(watch: RegistryWatch<Value>) {
    this.#watch = watch;
  }

  /** Whether everything that there was at the beginning is here. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** In no particular order. */
  values(): readonly Value[] {
    return [...this.#records.values()];
  }

  /** @param names  as in the key; null: there is none, or it is not known yet */
  get(names: readonly string[]): Value | null {
    return this.#records.get(keyOf(names)) ?? null;
  }

  /**
   * Follows the watch until it is cancelled. Called once.
   *
   * @param onChange  after each batch; must not throw
   * @throws PlacementError when the store is not available any more
   */
  async follow(onChange: () => void): Promise<void> {
    for await (const { changes } of this.#watch) {
      for (const change of changes) this.#apply(change);
      this.#isListed = true;
      onChange();
    }
  }

  cancel(): void {
    this.#watch.cancel();
  }

  #apply(change: RegistryChange<Value>): void {
    if (change.kind === 'put') {
      this.#records.set(keyOf(change.stored.names), change.stored.value);
    } else if (change.kind === 'delete') {
      this.#records.delete(keyOf(change.names));
    }
  }
}

/** Lengths keep names apart that contain any separator. */
function keyOf(names: readonly string[]): string {
  return names.map((name) => `${name.length}:${name}`).join('');
}
