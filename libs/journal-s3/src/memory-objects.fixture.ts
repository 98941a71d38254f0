import type { ByteRange, ObjectStore, StoredObject } from './object-store.ts';

/** Objects in memory, with switches to make the store fail. */
export class MemoryObjects implements ObjectStore {
  readonly objects: Map<string, Uint8Array> = new Map();
  /** While set, every call fails with it. */
  fault: Error | null = null;
  /** Bytes that were read by ranges. */
  rangeBytes = 0;
  /** Damages what arrives. */
  damages = false;

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.#mayFail();
    const copy = new Uint8Array(bytes);
    if (this.damages) copy[0] = (copy[0] as number) ^ 1;
    this.objects.set(key, copy);
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | null> {
    this.#mayFail();
    const object = this.objects.get(key);
    if (object === undefined) return null;
    if (range === undefined) return object.slice();
    this.rangeBytes += range.after - range.first;
    return object.slice(range.first, range.after);
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    this.#mayFail();
    return [...this.objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { length }]) => ({ key, byteLength: length }))
      .toSorted((left, right) => (left.key < right.key ? -1 : 1));
  }

  async listFolders(prefix: string): Promise<readonly string[]> {
    const keys = (await this.list(prefix)).map(({ key }) => key.slice(prefix.length));
    return [
      ...new Set(keys.flatMap((key) => (key.includes('/') ? [key.split('/')[0] ?? ''] : []))),
    ];
  }

  async delete(key: string): Promise<void> {
    this.#mayFail();
    this.objects.delete(key);
  }

  close(): void {}

  #mayFail(): void {
    if (this.fault !== null) throw this.fault;
  }
}
