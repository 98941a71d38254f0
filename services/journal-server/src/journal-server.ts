/** Something that listens, as the process file tells it. */
export interface JournalListener {
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly port: number;
}

/** One journal server as a process. `start` once, `stop` once. */
export interface JournalServer {
  /**
   * Serves on return. The shards open once the placement center has told which they are; until then,
   * and while it is away, the server waits for it. @throws when it can't listen or use its directory
   */
  start(): Promise<void>;
  /** Hands its leaderships over, ends calls, unregisters, closes. */
  stop(): Promise<void>;
  readonly listeners: readonly JournalListener[];
  /** `host:port` of the HTTP side, or null. */
  readonly httpAddress: string | null;
  /** Resolves when the process must end by itself, with the sentence for the operator. */
  readonly failed: Promise<Error>;
}
