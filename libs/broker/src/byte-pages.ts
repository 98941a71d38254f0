import { copyRange } from './message.ts';

const PAGE_BYTES = 256 * 1024;
/** A block above this gets a page of its own, which goes with it. */
const SHARED_BLOCK_BYTES_MAX = 32 * 1024;
/** u32 slot | u32 length of the whole block */
const BLOCK_HEADER_BYTES = 8;
const NO_PAGE = -1;
const FIRST_SLOTS = 64;

/**
 * Blocks of bytes by number, in large pages: no object per block, so that the garbage collector sees a
 * page and not the thousands of blocks in it.
 *
 * Blocks are written one behind the other; one that goes leaves a gap. Once gaps are more than half of
 * the shared pages, each change moves the blocks of the emptiest page to the end: what is held stays
 * below twice the blocks' own bytes plus a few pages, and a byte is moved about once per byte freed.
 *
 * A range is valid until the next `reserve` or `free`.
 */
export class BytePages {
  readonly #pages: (Uint8Array | null)[] = [];
  /** By page: what is used up to now, the part of it that blocks hold. */
  readonly #filled: number[] = [];
  readonly #live: number[] = [];
  readonly #freePages: number[] = [];
  #current: number = NO_PAGE;
  #spare: Uint8Array | null = null;
  #pageOf: Int32Array = new Int32Array(FIRST_SLOTS).fill(NO_PAGE);
  /** Where the content begins. */
  #startOf: Uint32Array = new Uint32Array(FIRST_SLOTS);
  #sharedPages = 0;
  #sharedLive = 0;
  #bytesHeld = 0;

  /** Bytes of all pages. */
  get bytesHeld(): number {
    return this.#bytesHeld;
  }

  has(slot: number): boolean {
    return slot < this.#pageOf.length && this.#pageOf[slot] !== NO_PAGE;
  }

  /** The page that holds the block of `slot`; its content is from `startOf` to `endOf`. */
  pageOf(slot: number): Uint8Array {
    return this.#pages[this.#pageOf[slot] as number] as Uint8Array;
  }

  startOf(slot: number): number {
    return this.#startOf[slot] as number;
  }

  endOf(slot: number): number {
    const start = this.#startOf[slot] as number;
    return start - BLOCK_HEADER_BYTES + lengthAt(this.pageOf(slot), start - BLOCK_HEADER_BYTES);
  }

  /** Makes room for `byteLength` bytes of content of `slot`, which loses what it had. Content is not cleared. */
  reserve(slot: number, byteLength: number): void {
    const total = BLOCK_HEADER_BYTES + byteLength;
    if (this.has(slot)) {
      if (this.endOf(slot) - this.startOf(slot) === byteLength) return;
      this.#drop(slot);
    }
    this.#place(slot, total);
    this.#compactOnce();
  }

  /** Gives the block's bytes back. */
  free(slot: number): void {
    if (!this.has(slot)) return;
    this.#drop(slot);
    this.#compactOnce();
  }

  #drop(slot: number): void {
    const page = this.#pageOf[slot] as number;
    const total = this.endOf(slot) - this.startOf(slot) + BLOCK_HEADER_BYTES;
    this.#pageOf[slot] = NO_PAGE;
    this.#live[page] = (this.#live[page] as number) - total;
    if (isShared(this.#pages[page] as Uint8Array)) this.#sharedLive -= total;
    if (this.#live[page] === 0) this.#releasePage(page);
  }

  #place(slot: number, total: number): void {
    if (slot >= this.#pageOf.length) this.#growSlots(slot + 1);
    const page = total > SHARED_BLOCK_BYTES_MAX ? this.#newPage(total) : this.#pageWith(total);
    const bytes = this.#pages[page] as Uint8Array;
    const at = this.#filled[page] as number;
    putUint32(bytes, at, slot);
    putUint32(bytes, at + 4, total);
    this.#filled[page] = at + total;
    this.#live[page] = (this.#live[page] as number) + total;
    if (isShared(bytes)) this.#sharedLive += total;
    this.#pageOf[slot] = page;
    this.#startOf[slot] = at + BLOCK_HEADER_BYTES;
  }

  #pageWith(total: number): number {
    const current = this.#current;
    if (current !== NO_PAGE && (this.#filled[current] as number) + total <= PAGE_BYTES) {
      return current;
    }
    this.#current = this.#newPage(PAGE_BYTES);
    // The one before is no longer written to: it goes if nothing in it is left.
    if (current !== NO_PAGE && this.#live[current] === 0) this.#releasePage(current);
    return this.#current;
  }

  #newPage(byteLength: number): number {
    const page = this.#freePages.pop() ?? this.#pages.length;
    const spare = byteLength === PAGE_BYTES ? this.#spare : null;
    if (spare !== null) this.#spare = null;
    else this.#bytesHeld += byteLength;
    const bytes = spare ?? new Uint8Array(byteLength);
    this.#pages[page] = bytes;
    this.#filled[page] = 0;
    this.#live[page] = 0;
    if (isShared(bytes)) this.#sharedPages += 1;
    return page;
  }

  #releasePage(page: number): void {
    const bytes = this.#pages[page] as Uint8Array;
    if (page === this.#current) {
      // Written to from its start again.
      this.#filled[page] = 0;
      return;
    }
    this.#pages[page] = null;
    this.#filled[page] = 0;
    this.#freePages.push(page);
    if (isShared(bytes)) {
      this.#sharedPages -= 1;
      if (this.#spare === null) {
        this.#spare = bytes;
        return;
      }
    }
    this.#bytesHeld -= bytes.length;
  }

  /** When more than half of the shared pages is gaps, the blocks of the emptiest move to the current one. */
  #compactOnce(): void {
    if (this.#sharedPages < 4 || this.#sharedLive * 2 > (this.#sharedPages - 1) * PAGE_BYTES)
      return;
    const page = this.#emptiest();
    const bytes = this.#pages[page] as Uint8Array;
    const filled = this.#filled[page] as number;
    let at = 0;
    while (at < filled) {
      const slot = getUint32(bytes, at);
      const total = lengthAt(bytes, at);
      const start = at + BLOCK_HEADER_BYTES;
      if (this.#pageOf[slot] === page && this.#startOf[slot] === start) this.#move(slot, total);
      at += total;
    }
  }

  #move(slot: number, total: number): void {
    const page = this.#pageOf[slot] as number;
    const source = this.pageOf(slot);
    const start = this.startOf(slot);
    this.#place(slot, total);
    copyRange(this.pageOf(slot), this.startOf(slot), source, start, total - BLOCK_HEADER_BYTES);
    this.#sharedLive -= total;
    this.#live[page] = (this.#live[page] as number) - total;
    if (this.#live[page] === 0) this.#releasePage(page);
  }

  #emptiest(): number {
    let found = NO_PAGE;
    let least = Number.POSITIVE_INFINITY;
    for (let page = 0; page < this.#pages.length; page += 1) {
      const bytes = this.#pages[page];
      if (bytes == null || page === this.#current || !isShared(bytes)) continue;
      if ((this.#live[page] as number) >= least) continue;
      found = page;
      least = this.#live[page] as number;
    }
    return found;
  }

  #growSlots(count: number): void {
    const size = Math.max(count, this.#pageOf.length * 2);
    const pageOf = new Int32Array(size).fill(NO_PAGE);
    pageOf.set(this.#pageOf);
    this.#pageOf = pageOf;
    const startOf = new Uint32Array(size);
    startOf.set(this.#startOf);
    this.#startOf = startOf;
  }
}

function isShared(page: Uint8Array): boolean {
  return page.length === PAGE_BYTES;
}

/** The length of the block at `at`, its header included. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return getUint32(bytes, at + 4);
}

/** Big endian. */
export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Big endian. */
export function getUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}
