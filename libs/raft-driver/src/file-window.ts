/** Reads a file front to back through a window, so that its size costs no memory. */
import type { OpenFile } from '@robustmq/environment';

const WINDOW_BYTES = 1024 * 1024;

export class FileWindow {
  readonly #file: OpenFile;
  /** Of the file. */
  readonly length: number;
  /** Replaced, never reused: what was read may be kept as views. */
  bytes: Uint8Array = new Uint8Array(0);
  #start = 0;

  constructor(file: OpenFile, length: number) {
    this.#file = file;
    this.length = length;
  }

  /** @returns where in `bytes` the `count` bytes at `position` are; -1 when the file ends before */
  async seek(position: number, count: number): Promise<number> {
    if (position + count > this.length) return -1;
    const at = position - this.#start;
    if (at >= 0 && at + count <= this.bytes.length) return at;
    const wanted = Math.min(this.length - position, Math.max(WINDOW_BYTES, count));
    const fresh = new Uint8Array(wanted);
    const got = await this.#file.read(fresh, position);
    this.bytes = fresh.subarray(0, got);
    this.#start = position;
    return got < count ? -1 : 0;
  }
}
