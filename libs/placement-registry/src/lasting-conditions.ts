/** Since when each of some conditions has held without a break, as far as this process has seen. */
export class LastingConditions<Name> {
  readonly #since = new Map<Name, number>();

  /** Tells what holds now; what is not named does not hold any more. @param nowMs  monotonic */
  see(holding: Iterable<Name>, nowMs: number): void {
    const now = new Set(holding);
    for (const name of this.#since.keys()) {
      if (!now.has(name)) this.#since.delete(name);
    }
    for (const name of now) {
      if (!this.#since.has(name)) this.#since.set(name, nowMs);
    }
  }

  /** What has held for at least so long. */
  heldFor(milliseconds: number, nowMs: number): ReadonlySet<Name> {
    const found = new Set<Name>();
    for (const [name, since] of this.#since) {
      if (nowMs - since >= milliseconds) found.add(name);
    }
    return found;
  }
}
