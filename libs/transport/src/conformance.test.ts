/** The contract of `ByteConnection`, over every kind of listener. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { armedDeadlines } from './deadlines.ts';
import { type Carrier, carriersOf, type TestClient } from './testing/carriers.ts';
import { makeTestCertificates } from './testing/certificates.ts';
import { type Accepted, RecordingServer } from './testing/recording-server.ts';

const certificates = makeTestCertificates();
afterAll(() => certificates?.remove());

for (const carrier of carriersOf(certificates)) {
  describe(`a connection over ${carrier.name}`, () => {
    describeCarrier(carrier);
  });
}

// Skips, and so says loudly that the TLS kinds are not tested, where there is no openssl command.
test.skipIf(certificates === null)('openssl makes the certificates of the TLS kinds', () => {
  expect(certificates).not.toBeNull();
});

const DEADLINE_MS = 5000;

function describeCarrier(carrier: Carrier): void {
  let server: RecordingServer;
  let clients: TestClient[];

  beforeEach(async () => {
    server = new RecordingServer();
    clients = [];
    await server.start(carrier.options);
  });

  afterEach(async () => {
    for (const client of clients) client.socket.destroy();
    await server.stop();
  });

  async function pair(): Promise<{ client: TestClient; accepted: Accepted }> {
    const index = server.accepted.length;
    const client = await carrier.connect(server.port, null);
    clients.push(client);
    return { client, accepted: await server.connection(index) };
  }

  test('echoes bytes and tells who the peer is', async () => {
    server.onAccept = (accepted): void => {
      accepted.onReceived = (chunk): void => {
        expect(accepted.connection.write(chunk, chunk.length)).toBe('written');
      };
    };
    const { client, accepted } = await pair();
    client.stream.write('hello');
    const [echo] = (await once(client.stream, 'data')) as [Buffer];
    expect(echo.toString()).toBe('hello');
    expect(accepted.connection.remoteAddress).toBe('127.0.0.1');
    expect(accepted.connection.remotePort).toBe(client.socket.localPort);
    expect(accepted.connection.listener).toBe(server.listener.identity);
    expect(accepted.connection.clientCertificate).toBeNull();
  });

  test('the caller may change a buffer as soon as a write is written', async () => {
    const { client, accepted } = await pair();
    const chunks = new Received(client);
    const buffer = Buffer.alloc(1000);
    for (const letter of 'abcdefghij') {
      buffer.fill(letter);
      expect(accepted.connection.write(buffer, 500)).toBe('written');
    }
    buffer.fill('!');
    await chunks.until(5000);
    const expected = [...'abcdefghij'].map((letter) => letter.repeat(500)).join('');
    expect(chunks.bytes().toString() === expected).toBe(true);
  });

  test('a slow reader makes writes pending, and each is drained in its time, unchanged', async () => {
    const { client, accepted } = await pair();
    const buffer = Buffer.alloc(1_000_000);
    let sent = 0;
    let drains = 0;
    const writeUntilPending = (): boolean => {
      for (; sent < 40; ) {
        buffer.fill(sent);
        sent += 1;
        const outcome = accepted.connection.write(buffer, buffer.length);
        if (outcome === 'pending') return true;
      }
      return false;
    };
    accepted.onDrained = (): void => {
      drains += 1;
      writeUntilPending();
    };
    expect(writeUntilPending()).toBe(true);
    let at = 0;
    client.stream.on('data', (chunk: Buffer) => {
      const wrong = chunk.findIndex((byte, index) => byte !== Math.floor((at + index) / 1_000_000));
      expect(wrong).toBe(-1);
      at += chunk.length;
      if (at === 40_000_000) client.stream.end();
    });
    await accepted.cause();
    expect(at).toBe(40_000_000);
    expect(drains).toBe(accepted.drainedBuffers.length);
    expect(accepted.drainedBuffers.every((bytes) => bytes === buffer)).toBe(true);
  });

  test('many small writes to a reader that stands still come to be pending', async () => {
    const { client, accepted } = await pair();
    const chunks = new Received(client);
    client.stream.pause();
    const buffer = Buffer.alloc(1000, 'x');
    let count = 0;
    let outcome = 'written';
    while (outcome === 'written' && count < 100_000) {
      outcome = accepted.connection.write(buffer, buffer.length);
      count += 1;
    }
    expect(outcome).toBe('pending');
    client.stream.resume();
    await accepted.until(() => accepted.drainedBuffers.length === 1);
    await chunks.until(count * 1000);
  });

  test('a second write while one is pending is a mistake of the caller', async () => {
    const { accepted } = await pair();
    const buffer = Buffer.alloc(60_000_000);
    expect(accepted.connection.write(buffer, buffer.length)).toBe('pending');
    expect(() => accepted.connection.write(buffer, 1)).toThrow(/still pending/);
  });

  test('pause leaves bytes with the peer, and resume fetches all of them', async () => {
    server.onAccept = (accepted): void => accepted.connection.pause();
    const { client, accepted } = await pair();
    const total = 30_000_000;
    for (let sent = 0; sent < total; sent += 1_000_000) {
      client.stream.write(Buffer.alloc(1_000_000));
    }
    // Another connection's round trip shows that the loop has turned meanwhile.
    server.onAccept = (other): void => {
      other.onReceived = (chunk): void => void other.connection.write(chunk, chunk.length);
    };
    const { client: second } = await pair();
    second.stream.write('ping');
    await once(second.stream, 'data');
    expect(accepted.receivedBytes).toBe(0);
    accepted.connection.pause();
    accepted.connection.resume();
    accepted.connection.resume();
    await accepted.until(() => accepted.receivedBytes === total);
  });

  test('the peer ending its stream is an end', async () => {
    const { client, accepted } = await pair();
    client.stream.resume();
    client.stream.end('bye');
    expect(await accepted.cause()).toEqual({ kind: 'ended' });
    expect(accepted.text).toBe('bye');
    expect(accepted.connection.write(Buffer.from('x'), 1)).toBe('closed');
    await settled(server);
    expect(accepted.closings).toHaveLength(1);
  });

  test('the peer resetting is a failure with a reason', async () => {
    const { client, accepted } = await pair();
    client.stream.write('hello');
    await accepted.until(() => accepted.text === 'hello');
    client.socket.resetAndDestroy();
    const cause = await accepted.cause();
    expect(cause.kind).toBe('failed');
    expect(cause.kind === 'failed' && cause.reason.length > 0).toBe(true);
  });

  test('end sends what is pending, then closes, and receives no more', async () => {
    const { client, accepted } = await pair();
    const buffer = Buffer.alloc(20_000_000, 'y');
    expect(accepted.connection.write(buffer, buffer.length)).toBe('pending');
    accepted.connection.end(DEADLINE_MS);
    accepted.connection.end(DEADLINE_MS);
    expect(accepted.connection.write(buffer, 1)).toBe('closed');
    client.stream.write('too late');
    let count = 0;
    client.stream.on('data', (chunk: Buffer) => {
      count += chunk.length;
    });
    await once(client.stream, 'end');
    client.stream.end();
    expect(count).toBe(buffer.length);
    expect(await accepted.cause()).toEqual({ kind: 'destroyed' });
    expect(accepted.receivedBytes).toBe(0);
    await settled(server);
    expect(armedDeadlines()).toBe(0);
  });

  test('end gives up at its deadline when the peer reads nothing', async () => {
    const { accepted } = await pair();
    const buffer = Buffer.alloc(1_000_000);
    while (accepted.connection.write(buffer, buffer.length) !== 'pending');
    accepted.connection.end(1);
    expect(await accepted.cause()).toEqual({ kind: 'destroyed' });
  });

  test('destroy closes later, once, and never within the call', async () => {
    const { client, accepted } = await pair();
    client.stream.resume();
    const closedAtClient = once(client.socket, 'close');
    accepted.connection.destroy();
    accepted.connection.destroy();
    accepted.connection.end(1);
    accepted.connection.pause();
    accepted.connection.resume();
    expect(accepted.closings).toHaveLength(0);
    expect(accepted.connection.write(Buffer.from('x'), 1)).toBe('closed');
    expect(await accepted.cause()).toEqual({ kind: 'destroyed' });
    await closedAtClient;
    await settled(server);
    expect(accepted.closings).toHaveLength(1);
    expect(accepted.callsAfterClose).toEqual([]);
  });

  test('destroy within received stops delivery', async () => {
    server.onAccept = (accepted): void => {
      accepted.onReceived = (): void => accepted.connection.destroy();
    };
    const { client, accepted } = await pair();
    client.stream.write('one');
    client.stream.write('two');
    expect(await accepted.cause()).toEqual({ kind: 'destroyed' });
    expect(accepted.callsAfterClose).toEqual([]);
  });

  test('an exception in received closes that connection, is reported, and hurts no other', async () => {
    const bug = new Error('a bug in the protocol');
    server.onAccept = (accepted): void => {
      accepted.onReceived = (chunk): void => {
        if (chunk.toString() === 'boom') throw bug;
        accepted.connection.write(chunk, chunk.length);
      };
    };
    const healthy = await pair();
    const faulty = await pair();
    faulty.client.stream.write('boom');
    expect((await faulty.accepted.cause()).kind).toBe('failed');
    expect(server.faults).toEqual([bug]);
    healthy.client.stream.write('well');
    const [echo] = (await once(healthy.client.stream, 'data')) as [Buffer];
    expect(echo.toString()).toBe('well');
  });

  test('exceptions in drained and closed are reported, too', async () => {
    const { client, accepted } = await pair();
    const buffer = Buffer.alloc(20_000_000);
    accepted.onDrained = (): void => {
      throw new Error('in drained');
    };
    accepted.onClosed = (): void => {
      throw new Error('in closed');
    };
    expect(accepted.connection.write(buffer, buffer.length)).toBe('pending');
    client.stream.resume();
    expect((await accepted.cause()).kind).toBe('failed');
    await settled(server);
    expect(server.faults.map((fault) => (fault as Error).message)).toEqual([
      'in drained',
      'in closed',
    ]);
  });

  test('an exception in accept closes the connection and is reported', async () => {
    server.onAccept = (): void => {
      throw new Error('in accept');
    };
    const { accepted } = await pair();
    expect((await accepted.cause()).kind).toBe('failed');
    expect(server.faults).toHaveLength(1);
  });

  test('counts what it accepts and what is open, and stop frees the port at once', async () => {
    const { client, accepted } = await pair();
    client.stream.resume();
    expect(server.listener.stats).toMatchObject({ accepted: 1, open: 1, handshakeFailures: 0 });
    const port = server.port;
    await server.listener.stop();
    const successor = new RecordingServer();
    await successor.start({ ...carrier.options, port });
    await successor.stop();
    client.stream.write('still here');
    await accepted.until(() => accepted.text === 'still here');
    accepted.connection.destroy();
    await accepted.cause();
    await settled(server);
    expect(server.listener.stats.open).toBe(0);
  });
}

/** Lets close callbacks that are under way be called: each turn polls once. */
async function settled(server: RecordingServer): Promise<void> {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  do await turn();
  while (server.listener.stats.open > 0 && server.accepted.every((one) => one.closings.length > 0));
  await turn();
}

/** Collects what a client reads. */
class Received {
  readonly #chunks: Buffer[] = [];
  #count = 0;
  #wake: () => void = () => {};

  constructor(client: TestClient) {
    client.stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#count += chunk.length;
      this.#wake();
    });
  }

  async until(count: number): Promise<void> {
    while (this.#count < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
