/**
 * Nobody talks to a member that was removed: one that hears of no leader for a while asks the others
 * whether it is one, and is told by a sentence instead of waiting for ever.
 */
import type { TimerHandle, Timers } from '@robustmq/environment';

export interface RemovalCheckOptions {
  readonly timers: Timers;
  /** Whether a leader is known now. */
  readonly hasLeader: () => boolean;
  /** Everyone else that this member knows of, as `host:port`. */
  readonly peers: () => readonly string[];
  /** Whether the peer at an address knows that this member was removed. */
  readonly ask: (address: string) => Promise<boolean>;
  readonly onRemoved: () => void;
}

const LOOK_EVERY_MS = 3000;

export class RemovalCheck {
  readonly #options: RemovalCheckOptions;
  #timer: TimerHandle | null = null;
  #wasLeaderless = false;
  #isAsking = false;

  constructor(options: RemovalCheckOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.timers.every(LOOK_EVERY_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Asks at the second look in a row without a leader: an election is over by then. */
  #look(): void {
    const isLeaderless = !this.#options.hasLeader();
    const isTime = isLeaderless && this.#wasLeaderless && !this.#isAsking;
    this.#wasLeaderless = isLeaderless;
    if (!isTime) return;
    this.#isAsking = true;
    void this.#askAll().finally(() => {
      this.#isAsking = false;
    });
  }

  async #askAll(): Promise<void> {
    const { peers, ask, onRemoved } = this.#options;
    const answers = await Promise.all(peers().map((address) => ask(address).catch(() => false)));
    if (answers.includes(true) && this.#timer !== null) onRemoved();
  }
}
