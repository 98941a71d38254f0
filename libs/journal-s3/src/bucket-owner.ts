/**
 * Whose the objects below a prefix are: a random name, in the bucket and in the data directory.
 *
 * It keeps a broker that was replaced, or one that is configured like another, from overwriting. It is no
 * lock: between the look and the write of an object somebody else can come.
 */
import { readWholeFile } from '@robustmq/environment';
import type { FileSystem } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import { replaceFile } from '@robustmq/record-log';
import type { ObjectStore } from './object-store.ts';

const LOCAL_NAME = 'BUCKET-OWNER';
const REMOTE_NAME = 'owner';

export class BucketOwner {
  readonly #store: ObjectStore;
  readonly #key: string;
  readonly #name: string;

  private constructor(store: ObjectStore, key: string, name: string) {
    this.#store = store;
    this.#key = key;
    this.#name = name;
  }

  /**
   * Takes the name that the directory holds, or gives it `freshName` and takes the bucket over.
   *
   * @throws JournalError JOURNAL_IO_FAILED  the objects belong to another directory
   */
  static async establish(
    local: FileSystem,
    store: ObjectStore,
    place: { readonly directory: string; readonly prefix: string; readonly freshName: string },
  ): Promise<BucketOwner> {
    const path = `${place.directory}/${LOCAL_NAME}`;
    const known = await readWholeFile(local, path);
    const name = known === null ? place.freshName : new TextDecoder().decode(known);
    const owner = new BucketOwner(store, `${place.prefix}${REMOTE_NAME}`, name);
    if (known === null) {
      await owner.#claim();
      await replaceFile(local, path, new TextEncoder().encode(name));
    }
    return owner;
  }

  /** @throws JournalError JOURNAL_IO_FAILED  somebody else is */
  async assert(): Promise<void> {
    const found = await this.#store.get(this.#key);
    if (found === null) await this.#claim();
    else if (new TextDecoder().decode(found) !== this.#name) {
      const detail = `${this.#key} in the bucket names another owner: a broker with another data directory uses this prefix`;
      throw new JournalError({ code: 'JOURNAL_IO_FAILED', operation: 'open', detail });
    }
  }

  async #claim(): Promise<void> {
    await this.#store.put(this.#key, new TextEncoder().encode(this.#name));
  }
}
