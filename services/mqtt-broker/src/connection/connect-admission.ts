/** Decides about one client. Never rejects. */
type Decision = () => Promise<void>;

/**
 * How many clients are let in at a time: each whose session is kept asks the placement center, and after
 * the death of a broker thousands ask at once. So many are decided together; others wait in their order;
 * beyond that they are refused and come again. Connected clients do not notice.
 *
 * LIMIT: connectsDecidingMax, connectsWaitingMax
 */
export class ConnectAdmission {
  readonly #decidingMax: number;
  readonly #waitingMax: number;
  readonly #waiting: Decision[] = [];
  /** Of the first that waits: taking it out must not move the others. */
  #first = 0;
  #deciding = 0;

  constructor(limits: { readonly decidingMax: number; readonly waitingMax: number }) {
    this.#decidingMax = limits.decidingMax;
    this.#waitingMax = limits.waitingMax;
  }

  get deciding(): number {
    return this.#deciding;
  }

  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  /** Begins now or in turn. @returns false: too many wait, and this one is refused */
  submit(decision: Decision): boolean {
    if (this.#deciding < this.#decidingMax) this.#begin(decision);
    else if (this.waiting >= this.#waitingMax) return false;
    else this.#waiting.push(decision);
    return true;
  }

  #begin(decision: Decision): void {
    this.#deciding += 1;
    void decision().then(() => this.#ended());
  }

  #ended(): void {
    this.#deciding -= 1;
    const next = this.#waiting[this.#first];
    if (next === undefined) return;
    this.#first += 1;
    if (this.#first * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    this.#begin(next);
  }
}
