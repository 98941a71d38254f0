/**
 * Tries the raw engine on a loopback connection before anything relies on it: a small echo, writes
 * until the kernel's buffers are full and one is `pending`, its `drained`, and an orderly end.
 */
import { connect, type Socket } from 'node:net';
import { bindServer, stopServer } from './bind-server.ts';
import type { ByteConnection, CloseCause } from './connection.ts';
import { ListenerContext } from './listener-context.ts';
import type { ListenerOptions } from './listener.ts';

export type RawProbe =
  | { readonly kind: 'usable' }
  | { readonly kind: 'unusable'; readonly reason: string };

/** Far more than loopback buffers hold. */
const PROBE_WRITES_MAX = 64;
const PROBE_WRITE_BYTES = 1_048_576;
const PROBE_TIMEOUT_MS = 3000;
const GREETING = Buffer.from('raw engine probe');

let probed: Promise<RawProbe> | null = null;

/** Probes once per process; later calls get the first answer. Never rejects. */
export function probeRawEngine(): Promise<RawProbe> {
  probed ??= probeNow();
  return probed;
}

async function probeNow(): Promise<RawProbe> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<RawProbe>((resolve) => {
    timer = setTimeout(() => {
      resolve({ kind: 'unusable', reason: `the probe took more than ${PROBE_TIMEOUT_MS} ms` });
    }, PROBE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([exchange(), tooLate]);
  } catch (error) {
    return { kind: 'unusable', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

async function exchange(): Promise<RawProbe> {
  const { acceptRaw } = await import('./raw-listener.ts');
  const { server, identity } = await bindServer(PROBE_OPTIONS);
  let client: Socket | null = null;
  try {
    const socket = connect(identity.port, identity.address);
    client = socket;
    return await new Promise<RawProbe>((resolve, reject) => {
      socket.on('error', reject);
      const context = new ListenerContext(identity, 1, {
        accept: (connection) => {
          connection.handler = new ProbeServer(connection, socket, resolve);
        },
        reportHandlerFault: (_connection, error) => {
          reject(error);
        },
      });
      acceptRaw(server, context, (connection) => {
        connection.handOver();
      });
      socket.write(GREETING);
      new ProbeClient(socket).begin();
    });
  } finally {
    client?.destroy();
    await stopServer(server);
  }
}

/** Echoes the greeting, then writes until the kernel is full; says what it saw once it is closed. */
class ProbeServer {
  readonly #connection: ByteConnection;
  readonly #client: Socket;
  readonly #answer: (probe: RawProbe) => void;
  readonly #filler: Buffer = Buffer.alloc(PROBE_WRITE_BYTES, 0x2e);
  #received = 0;
  #drained = false;

  constructor(connection: ByteConnection, client: Socket, answer: (probe: RawProbe) => void) {
    this.#connection = connection;
    this.#client = client;
    this.#answer = answer;
  }

  received(buffer: Buffer, start: number, end: number): void {
    this.#received += end - start;
    const echo = Buffer.from(buffer.subarray(start, end));
    if (this.#connection.write(echo, echo.length) !== 'written') {
      this.#fail('a small write was not taken at once');
      return;
    }
    if (this.#received < GREETING.length) return;
    for (let count = 0; count < PROBE_WRITES_MAX; count += 1) {
      const outcome = this.#connection.write(this.#filler, this.#filler.length);
      if (outcome === 'written') continue;
      if (outcome === 'closed') this.#fail('a large write failed');
      this.#client.resume();
      return;
    }
    this.#fail('no write was ever pending');
  }

  drained(bytes: Uint8Array): void {
    this.#drained = bytes === this.#filler;
    this.#connection.end(PROBE_TIMEOUT_MS);
  }

  closed(cause: CloseCause): void {
    const sound = this.#drained && cause.kind === 'destroyed';
    const reason = `the large write was ${this.#drained ? '' : 'not '}finished; closed as ${cause.kind}`;
    this.#answer(sound ? { kind: 'usable' } : { kind: 'unusable', reason });
  }

  #fail(reason: string): void {
    this.#answer({ kind: 'unusable', reason });
    this.#connection.destroy();
  }
}

/** Checks every byte; does not read on after the greeting until the server says so. */
class ProbeClient {
  readonly #socket: Socket;
  #seen = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  begin(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#check(chunk);
    });
  }

  #check(chunk: Buffer): void {
    const first = this.#seen;
    this.#seen += chunk.length;
    for (let index = 0; index < chunk.length; index += 1) {
      const expected = GREETING[first + index] ?? 0x2e;
      if (chunk[index] !== expected) {
        this.#socket.destroy(new Error(`byte ${first + index} of the probe arrived changed`));
        return;
      }
    }
  }
}

const PROBE_OPTIONS: ListenerOptions = {
  name: 'probe',
  kind: 'tcp',
  host: 'localhost',
  port: 0,
  backlog: 1,
  reusePort: false,
  connectionsMax: 1,
  proxyProtocol: 'off',
  handshakeTimeoutMs: PROBE_TIMEOUT_MS,
  tls: null,
  websocket: null,
  engine: 'raw',
};
