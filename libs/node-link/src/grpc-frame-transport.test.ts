import { once } from 'node:events';
import { connect } from 'node:net';
import { systemRandom, systemTimers } from '@robustmq/environment';
import { defaultServerLimits, openRpcServer, type RpcServer, silentObserver } from '@robustmq/rpc';
import { afterEach, describe, expect, test } from 'vitest';
import { GrpcFrameTransport } from './grpc-frame-transport.ts';

const TOKEN = 'the token of this test';
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close();
});

class End {
  readonly transport: GrpcFrameTransport;
  readonly log: string[] = [];
  /** Connections that came over a socket of their own. */
  sockets = 0;
  server: RpcServer | null = null;
  #wake: (() => void)[] = [];

  constructor(self: number, cluster = 'main') {
    this.transport = new GrpcFrameTransport({
      ...{ cluster, self, tls: null, token: TOKEN, frameBytesMax: 1024 * 1024, connectMs: 2_000 },
      timers: systemTimers,
      random: systemRandom,
    });
    const note = (line: string): void => {
      this.log.push(line);
      for (const wake of this.#wake.splice(0)) wake();
    };
    this.transport.listen({
      frame: (from, bytes) => note(`${from}: ${Buffer.from(bytes).toString()}`),
      up: (peer) => note(`up ${peer}`),
      down: (peer) => note(`down ${peer}`),
      drained: (peer) => note(`drained ${peer}`),
    });
    open.push({ close: () => this.transport.close() });
  }

  /** @param withSockets  false: whatever reaches the port is taken for HTTP/2 */
  async serve(port: number, withSockets = true): Promise<number> {
    const others = withSockets ? this.transport.sockets() : null;
    this.server = await openRpcServer({
      ...{ host: '127.0.0.1', port, tls: null, clusterToken: TOKEN },
      services: [this.transport.service()],
      others:
        others === null
          ? null
          : {
              preamble: others.preamble,
              accept: (socket) => {
                this.sockets += 1;
                others.accept(socket);
              },
            },
      limits: defaultServerLimits,
      observer: silentObserver,
    });
    const { server } = this;
    open.push({ close: () => server.close(0) });
    return server.port;
  }

  connect(node: number, port: number, incarnation = 1): void {
    this.transport.setPeers(new Map([[node, { address: `127.0.0.1:${port}`, incarnation }]]));
  }

  async until(line: string): Promise<void> {
    while (!this.log.includes(line)) await new Promise<void>((wake) => this.#wake.push(wake));
  }
}

describe('frames over gRPC', () => {
  test.each([true, false])('arrive in order, in both directions: sockets %s', async (sockets) => {
    const [one, two] = [new End(1), new End(2)];
    const [port1, port2] = [await one.serve(0, sockets), await two.serve(0, sockets)];
    one.connect(2, port2);
    two.connect(1, port1);
    await Promise.all([one.until('up 2'), two.until('up 1')]);
    for (let index = 0; index < 100; index += 1) {
      one.transport.send(2, Buffer.from(`a${index}`));
    }
    two.transport.send(1, Buffer.from('b'));
    await Promise.all([two.until('1: a99'), one.until('2: b')]);
    const expected = Array.from({ length: 100 }, (_, index) => `1: a${index}`);
    expect(two.log.filter((line) => line.startsWith('1: '))).toEqual(expected);
    expect([one.sockets, two.sockets]).toEqual(sockets ? [1, 1] : [0, 0]);
  });

  test('of every size arrive as they were sent', async () => {
    const [one, two] = [new End(1), new End(2)];
    one.connect(2, await two.serve(0));
    await one.until('up 2');
    const sizes = [1, 2, 3, 0, 65_531, 65_532, 65_533, 200_000, 5, 1024 * 1024];
    for (const size of sizes) one.transport.send(2, Buffer.alloc(size, 0x61));
    one.transport.send(2, Buffer.from('last'));
    await two.until('1: last');
    const lengths = two.log.map((line) => line.length - '1: '.length);
    expect(lengths).toEqual([...sizes, 'last'.length]);
  });

  test('one that is too large ends the connection, and another is opened', async () => {
    const [one, two] = [new End(1), new End(2)];
    one.connect(2, await two.serve(0));
    await one.until('up 2');
    one.transport.send(2, Buffer.alloc(1024 * 1024 + 1));
    await one.until('down 2');
    one.log.length = 0;
    await one.until('up 2');
    one.transport.send(2, Buffer.from('next'));
    await two.until('1: next');
  });

  test('a socket without the ticket of a stream is turned away', async () => {
    const two = new End(2);
    const port = await two.serve(0);
    const socket = connect(port, '127.0.0.1');
    socket.write('RMQLINK1');
    socket.write(new Uint8Array(16));
    socket.resume();
    await once(socket, 'close');
    expect([two.sockets, two.log]).toEqual([1, []]);
  });

  test('a receiver that pauses makes the sender wait, and loses nothing', async () => {
    const [one, two] = [new End(1), new End(2)];
    one.connect(2, await two.serve(0));
    await one.until('up 2');
    two.transport.pause();
    let sent = 0;
    const body = Buffer.alloc(64 * 1024, 0x61);
    while (sent < 10_000) {
      sent += 1;
      const outcome = one.transport.send(2, body);
      if (outcome === 'blocked') break;
      expect(outcome).toBe('taken');
    }
    expect(sent).toBeLessThan(10_000);
    two.transport.resume();
    await one.until('drained 2');
    one.transport.send(2, Buffer.from('last'));
    await two.until('1: last');
    expect(two.log.filter((line) => line.startsWith('1: a'))).toHaveLength(sent);
  });

  test('a peer that goes and comes back is connected to again', async () => {
    const [one, two] = [new End(1), new End(2)];
    const port = await two.serve(0);
    one.connect(2, port);
    await one.until('up 2');
    await two.server?.close(0);
    await one.until('down 2');
    expect(one.transport.send(2, Buffer.from('x'))).toBe('down');
    one.log.length = 0;
    await two.serve(port);
    await one.until('up 2');
  });

  test.each([
    [new End(1, 'other'), 2, 'another cluster'],
    [new End(1), 3, 'another node under this address'],
  ])('a stream that is not meant for this broker never comes up: %#', async (one, node) => {
    const two = new End(2);
    const port = await two.serve(0);
    one.connect(node, port);
    const good = new End(4);
    good.connect(2, port);
    await good.until('up 2');
    expect(one.log).toEqual([]);
  });
});
