/** Tasks about one client run one after the other; those of different clients do not wait for each other. */
export class ClientQueues {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #soon: (action: () => void) => void;

  /** @param soon  runs an action in a later turn: what a task's answer sets off is done before the next */
  constructor(soon: (action: () => void) => void) {
    this.#soon = soon;
  }

  get size(): number {
    return this.#last.size;
  }

  /** Resolves when none is left. */
  async settled(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }

  /** Settles as `task` does. */
  run<Answer>(clientId: string, task: () => Promise<Answer>): Promise<Answer> {
    const before = this.#last.get(clientId);
    const mine = before === undefined ? task() : before.then(task, task);
    const turn = mine
      .catch(() => {})
      .then(() => new Promise<void>((resolve) => this.#soon(resolve)));
    this.#last.set(clientId, turn);
    void turn.then(() => {
      if (this.#last.get(clientId) === turn) this.#last.delete(clientId);
    });
    return mine;
  }
}
