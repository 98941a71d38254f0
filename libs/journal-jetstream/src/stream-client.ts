/** The calls of NATS that the journal makes, each with a deadline. NATS's client is loaded when it is needed. */
import type {
  JetStreamClient,
  JetStreamManager,
  StoredMsg,
  StreamConfig,
} from '@nats-io/jetstream';
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import { JournalError } from '@robustmq/journal';
import type { IncomingMessage, OutgoingMessage } from './stream-message.ts';

const CONNECTION_NAME = 'robustmq-journal';
const RECONNECT_WAIT_MS = 250;
const STREAM_NOT_FOUND = 10059;
const NO_MESSAGE_FOUND = 10037;
const STREAM_NAME_IN_USE = 10058;

/** Where the servers are and how to be let in. Secrets are never part of a fault. */
export interface JetStreamServers {
  /** `host:port`, at least one. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly tls?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
  };
  /** How long one call may take. */
  readonly requestTimeoutMs: number;
}

export interface StreamState {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export class StreamClient {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #module: typeof import('@nats-io/transport-node');
  readonly #timeoutMs: number;

  private constructor(parts: {
    readonly connection: NatsConnection;
    readonly client: JetStreamClient;
    readonly manager: JetStreamManager;
    readonly module: typeof import('@nats-io/transport-node');
    readonly timeoutMs: number;
  }) {
    this.#connection = parts.connection;
    this.#client = parts.client;
    this.#manager = parts.manager;
    this.#module = parts.module;
    this.#timeoutMs = parts.timeoutMs;
  }

  /** @throws JournalError JOURNAL_IO_FAILED  the packages are missing, or no server lets us in */
  static async connect(servers: JetStreamServers): Promise<StreamClient> {
    const { module, jetstream } = await loadClient();
    const timeoutMs = servers.requestTimeoutMs;
    try {
      const connection = await module.connect(connectionOptions(servers));
      const manager = await jetstream.jetstreamManager(connection, { timeout: timeoutMs });
      const client = jetstream.jetstream(connection, { timeout: timeoutMs });
      return new StreamClient({ connection, client, manager, module, timeoutMs });
    } catch (error) {
      throw openFault(
        `NATS JetStream at ${servers.servers.join(', ')} can't be used: ${messageOf(error)}`,
        error,
      );
    }
  }

  get serverVersion(): string {
    return this.#connection.info?.version ?? 'unknown';
  }

  /**
   * Creates the stream unless it exists.
   *
   * @throws JournalError JOURNAL_IO_FAILED  it exists, and would keep less than is asked for
   */
  async ensureStream(stream: string, subjects: string, replicas: number): Promise<void> {
    const { streams } = this.#manager;
    const existing = await streams.info(stream).catch((error: unknown) => {
      if (codeOf(error) === STREAM_NOT_FOUND) return null;
      throw error;
    });
    if (existing !== null) {
      assertKeepsAll(existing.config, replicas);
      return;
    }
    try {
      await this.#manager.streams.add({
        name: stream,
        subjects: [subjects],
        num_replicas: replicas,
        storage: 'file',
        retention: 'limits',
        discard: 'new',
        allow_direct: true,
        deny_delete: true,
      });
    } catch (error) {
      if (codeOf(error) !== STREAM_NAME_IN_USE) throw error;
    }
  }

  /** Null when there is no such stream. */
  async state(stream: string): Promise<StreamState | null> {
    try {
      const { state } = await this.#manager.streams.info(stream);
      return { firstSeq: state.first_seq, lastSeq: state.last_seq };
    } catch (error) {
      if (codeOf(error) === STREAM_NOT_FOUND) return null;
      throw error;
    }
  }

  async streams(subjects: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of this.#manager.streams.names(subjects)) names.push(name);
    return names;
  }

  async deleteStream(stream: string): Promise<void> {
    try {
      await this.#manager.streams.delete(stream);
    } catch (error) {
      if (codeOf(error) !== STREAM_NOT_FOUND) throw error;
    }
  }

  /** Stores the message as `seq`, or fails because the stream's last one is not that before it. */
  async publish(stream: string, message: OutgoingMessage): Promise<void> {
    const headers = this.#module.headers();
    for (const [name, value] of Object.entries(message.headers)) headers.set(name, value);
    const expect = { streamName: stream, lastSequence: message.seq - 1 };
    await this.#client.publish(message.subject, message.payload, {
      headers,
      expect,
      timeout: this.#timeoutMs,
      retries: 0,
    });
  }

  /** From any replica, and from the leader where that one has nothing. Null: there is none. */
  async message(stream: string, seq: number): Promise<IncomingMessage | null> {
    const near = await this.#manager.direct.getMessage(stream, { seq }).catch(() => null);
    return near === null ? this.leaderMessage(stream, seq) : incoming(near);
  }

  async leaderMessage(stream: string, seq: number): Promise<IncomingMessage | null> {
    return this.#stored(() => this.#manager.streams.getMessage(stream, { seq }));
  }

  /** The last message of the subject. */
  async lastMessage(stream: string, subject: string): Promise<IncomingMessage | null> {
    return this.#stored(() => this.#manager.streams.getMessage(stream, { last_by_subj: subject }));
  }

  /** Removes everything before `seq`. */
  async purgeBefore(stream: string, seq: number): Promise<void> {
    await this.#manager.streams.purge(stream, { seq });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #stored(get: () => Promise<StoredMsg | null>): Promise<IncomingMessage | null> {
    try {
      const stored = await get();
      return stored === null ? null : incoming(stored);
    } catch (error) {
      if (codeOf(error) === NO_MESSAGE_FOUND) return null;
      throw error;
    }
  }
}

/** A stream that somebody made otherwise, with fewer copies or with limits at which it forgets. */
function assertKeepsAll(config: StreamConfig, replicas: number): void {
  const { name, num_replicas: copies, max_age: maxAge, discard } = config;
  const isBounded = [config.max_msgs, config.max_bytes, config.max_msgs_per_subject].some(
    (limit) => limit > 0,
  );
  if (copies < replicas) {
    const words = `stream ${name} has ${copies} replicas, ${replicas} are asked for: change either`;
    throw openFault(words, null);
  }
  if (maxAge > 0 || (isBounded && discard !== 'new') || config.max_msgs_per_subject > 0) {
    throw openFault(`stream ${name} forgets messages by itself: remove its limits`, null);
  }
}

/** NATS's number of a refusal; 0 for other failures. */
export function codeOf(error: unknown): number {
  if (error instanceof Error && 'code' in error && typeof error.code === 'number') {
    return error.code;
  }
  return 0;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function incoming(stored: StoredMsg): IncomingMessage {
  return {
    seq: stored.seq,
    subject: stored.subject,
    header: (name) => stored.header.get(name),
    payload: stored.data,
  };
}

async function loadClient(): Promise<{
  readonly module: typeof import('@nats-io/transport-node');
  readonly jetstream: typeof import('@nats-io/jetstream');
}> {
  try {
    return {
      module: await import('@nats-io/transport-node'),
      jetstream: await import('@nats-io/jetstream'),
    };
  } catch (error) {
    const packages = '@nats-io/transport-node and @nats-io/jetstream';
    throw openFault(`the packages ${packages} are not installed: install them`, error);
  }
}

function connectionOptions(servers: JetStreamServers): ConnectionOptions {
  const { user, password, token, tls, requestTimeoutMs } = servers;
  return {
    servers: [...servers.servers],
    name: CONNECTION_NAME,
    timeout: requestTimeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    ...(user === undefined ? {} : { user, pass: password ?? '' }),
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls: { ...tls } }),
  };
}

function openFault(detail: string, cause: unknown): JournalError {
  return new JournalError({ code: 'JOURNAL_IO_FAILED', operation: 'open', detail }, { cause });
}
