/** One tail of a keyed shard, as a server feeds it: everything, then every change, while there is credit. */
import { JournalError, type KeyedChange, type KeyedTail } from '@robustmq/journal';
import { changeCredit } from '@robustmq/rpc';
import type { TailPort } from './served-tail.ts';

/** One message. */
const PAGE_CHANGES = 500;
const PART_BYTES = 256 * 1024;

/** Feeds one tail until it is closed. */
export class ServedKeyedTail {
  readonly #tail: KeyedTail;
  readonly #port: TailPort;
  #creditBytes: number;
  /** Set while the credit is used up. */
  #onCredit: (() => void) | null = null;
  #isClosed = false;

  constructor(tail: KeyedTail, creditBytes: number, port: TailPort) {
    this.#tail = tail;
    this.#creditBytes = creditBytes;
    this.#port = port;
  }

  begin(): void {
    void this.#feed();
  }

  addCredit(bytes: number): void {
    this.#creditBytes += bytes;
    if (this.#creditBytes <= 0) return;
    this.#onCredit?.();
    this.#onCredit = null;
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#tail.close();
    this.#onCredit?.();
    this.#onCredit = null;
  }

  async #feed(): Promise<void> {
    try {
      while (!this.#isClosed) {
        if (this.#creditBytes <= 0) await this.#credit();
        else this.#tell(await this.#tail.next(PAGE_CHANGES));
      }
    } catch (error) {
      if (!this.#isClosed) this.#port.failed(this.#port.faultOf(error));
      else if (!(error instanceof JournalError)) throw error;
    }
  }

  #credit(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCredit = resolve;
    });
  }

  /** In parts; only the last one tells the position, since the parts before it are not everything. */
  #tell(changes: readonly KeyedChange[]): void {
    if (this.#isClosed) return;
    let part: KeyedChange[] = [];
    let bytes = 0;
    for (const change of changes) {
      const size = changeCredit(change);
      if (part.length > 0 && bytes + size > PART_BYTES) {
        this.#port.send({ kind: 'changes', changes: part, position: 0 });
        part = [];
        bytes = 0;
      }
      part.push(change);
      bytes += size;
      this.#creditBytes -= size;
    }
    this.#port.send({ kind: 'changes', changes: part, position: this.#tail.position });
  }
}
