/** What the tier asks of a store of objects. Every call has a deadline of its own. */
export interface ObjectStore {
  /** Replaces; on return it is stored. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The bytes from `range.first` up to before `range.after`, or all of them; null: no such object. */
  get(key: string, range?: ByteRange): Promise<Uint8Array | null>;
  /** Ascending by key. */
  list(prefix: string): Promise<readonly StoredObject[]>;
  /** What stands between `prefix` and the next `/`, each once. */
  listFolders(prefix: string): Promise<readonly string[]>;
  /** Idempotent. */
  delete(key: string): Promise<void>;
  close(): void;
}

export interface ByteRange {
  readonly first: number;
  readonly after: number;
}

export interface StoredObject {
  readonly key: string;
  readonly byteLength: number;
}
