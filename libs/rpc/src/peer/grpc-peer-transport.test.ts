import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { SeededRandom, systemTimers } from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import { afterEach, describe, expect, test } from 'vitest';
import type { RpcError } from '../rpc-error.ts';
import type { RpcServer, RpcServerOptions } from '../server/rpc-server.ts';
import { makeTestCertificates, type TestCertificates } from '../testing/certificates.ts';
import { RpcFixture } from '../testing/rpc-fixture.ts';
import { GrpcPeerTransport } from './grpc-peer-transport.ts';
import { defaultPeerLimits, type PeerTransportOptions } from './peer-transport-options.ts';

const fixture = new RpcFixture();
afterEach(() => fixture.close());

const certificates = makeTestCertificates();
const id = (number: number): NodeId => number as NodeId;

/** One node, and a way to wait for what happens to it. */
class TestNode {
  readonly transport: GrpcPeerTransport;
  readonly events: string[] = [];
  readonly errors: (RpcError | null)[] = [];
  server: RpcServer | null = null;
  #waiting: { readonly event: string; readonly resolve: () => void }[] = [];

  constructor(self: number, options: Partial<PeerTransportOptions>) {
    this.transport = new GrpcPeerTransport({
      cluster: 'test',
      self: id(self),
      tls: null,
      token: null,
      limits: {
        ...defaultPeerLimits,
        keepAliveMs: 10_000,
        keepAliveTimeoutMs: 10_000,
        connectMs: 10_000,
        reconnect: { firstMs: 5, longestMs: 20 },
      },
      observer: {
        connected: (node) => this.#happened(`connected ${node}`),
        lost: (node, error) => {
          this.errors.push(error);
          this.#happened(`lost ${node}`);
        },
      },
      random: new SeededRandom(self),
      timers: systemTimers,
      ...options,
    });
    this.transport.onFrame((from, frame) => this.#happened(`${from}: ${frame.join(' ')}`));
  }

  async listen(port: number, options: Partial<RpcServerOptions> = {}): Promise<number> {
    this.server = await fixture.serve([this.transport.service()], { port, ...options });
    fixture.cleanup(() => this.transport.close());
    return this.server.port;
  }

  /** Waits until it happens; what happened before counts unless it was taken already. */
  async until(event: string): Promise<void> {
    const at = this.events.indexOf(event);
    if (at !== -1) {
      this.events.splice(at, 1);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ event, resolve });
    await promise;
  }

  #happened(event: string): void {
    const waiting = this.#waiting.find((each) => each.event === event);
    if (waiting === undefined) {
      this.events.push(event);
      return;
    }
    this.#waiting = this.#waiting.filter((each) => each !== waiting);
    waiting.resolve();
  }
}

function addresses(ports: Readonly<Record<number, number>>): ReadonlyMap<NodeId, string> {
  return new Map(Object.entries(ports).map(([node, port]) => [id(+node), `127.0.0.1:${port}`]));
}

async function cluster(count: number): Promise<readonly TestNode[]> {
  const nodes = Array.from({ length: count }, (_, index) => new TestNode(index + 1, {}));
  const ports: Record<number, number> = {};
  for (const [index, node] of nodes.entries()) ports[index + 1] = await node.listen(0);
  for (const node of nodes) node.transport.setPeers(addresses(ports));
  for (const [index, node] of nodes.entries()) {
    for (let other = 1; other <= count; other += 1) {
      if (other !== index + 1) await node.until(`connected ${other}`);
    }
  }
  return nodes;
}

describe('a peer transport', () => {
  test('carries frames in order between all pairs of three nodes', async () => {
    const nodes = await cluster(3);
    for (const [index, node] of nodes.entries()) {
      for (let other = 1; other <= 3; other += 1) {
        node.transport.send(id(other), Uint8Array.of(index + 1, other, 1));
        node.transport.send(id(other), Uint8Array.of());
        node.transport.send(id(other), Uint8Array.of(index + 1, other, 2));
      }
    }
    for (const [index, node] of nodes.entries()) {
      for (let other = 1; other <= 3; other += 1) {
        if (other === index + 1) continue;
        await node.until(`${other}: ${other} ${index + 1} 2`);
        const from = node.events.filter((event) => event.startsWith(`${other}:`));
        expect(from).toEqual([`${other}: ${other} ${index + 1} 1`, `${other}: `]);
      }
    }
    // Each node has tried to send three frames to itself.
    expect(nodes[0]?.transport.counters).toEqual({
      framesSent: 6,
      framesReceived: 6,
      framesDropped: 3,
    });
  });

  test('finds a node again that has restarted on its port', async () => {
    const first = new TestNode(1, {});
    const second = new TestNode(2, {});
    const port = await second.listen(0);
    first.transport.setPeers(addresses({ 2: port }));
    fixture.cleanup(() => first.transport.close());
    await first.until('connected 2');
    await second.transport.close();
    await second.server?.close(0);
    await first.until('lost 2');
    const again = new TestNode(2, {});
    await again.listen(port);
    await first.until('connected 2');
    first.transport.send(id(2), Uint8Array.of(7));
    await again.until('1: 7');
  });

  test('notices a cable that was cut, by the silence', async () => {
    const second = new TestNode(2, {});
    const cable = await openCable(await second.listen(0));
    const limits = {
      ...defaultPeerLimits,
      keepAliveMs: 200,
      keepAliveTimeoutMs: 400,
      reconnect: { firstMs: 5, longestMs: 20 },
    };
    const first = new TestNode(1, { limits });
    fixture.cleanup(() => first.transport.close());
    first.transport.setPeers(addresses({ 2: cable.port }));
    await first.until('connected 2');
    cable.cut();
    await first.until('lost 2');
    cable.mend();
    await first.until('connected 2');
    first.transport.send(id(2), Uint8Array.of(9));
    await second.until('1: 9');
  });

  test('follows a changed address, and leaves a node that is no peer any more', async () => {
    const first = new TestNode(1, {});
    const second = new TestNode(2, {});
    const port = await second.listen(0);
    fixture.cleanup(() => first.transport.close());
    first.transport.setPeers(addresses({ 2: 1 }));
    await first.until('lost 2');
    first.transport.setPeers(addresses({ 2: port }));
    await first.until('connected 2');
    first.transport.setPeers(new Map());
    first.transport.send(id(2), Uint8Array.of(1));
    expect(first.transport.counters.framesDropped).toBe(1);
  });

  test('drops and counts what is beyond the bound or larger than a message', async () => {
    const second = new TestNode(2, {});
    const port = await second.listen(0);
    const limits = { ...defaultPeerLimits, unsentBytesMax: 100, messageBytesMax: 1000 };
    const first = new TestNode(1, { limits });
    fixture.cleanup(() => first.transport.close());
    first.transport.setPeers(addresses({ 2: port }));
    first.transport.send(id(2), new Uint8Array(60).fill(1));
    first.transport.send(id(2), new Uint8Array(60).fill(2));
    first.transport.send(id(2), new Uint8Array(990).fill(3));
    await second.until(`1: ${new Uint8Array(60).fill(1).join(' ')}`);
    expect(first.transport.counters).toEqual({
      framesSent: 1,
      framesReceived: 0,
      framesDropped: 2,
    });
  });

  test.skipIf(certificates === null)('speaks mutual TLS and gives the cluster token', async () => {
    const made = certificates as TestCertificates;
    const tls = { authority: made.authority, own: made.client, serverName: 'placement.test' };
    const serverTls = { ...made.server, clientAuthority: made.authority };
    const second = new TestNode(2, {});
    const port = await second.listen(0, { tls: serverTls, clusterToken: 'geheim' });
    const first = new TestNode(1, { tls, token: 'geheim' });
    fixture.cleanup(() => first.transport.close());
    first.transport.setPeers(addresses({ 2: port }));
    await first.until('connected 2');
    first.transport.send(id(2), Uint8Array.of(4));
    await second.until('1: 4');
    const stranger = new TestNode(3, { tls, token: 'falsch' });
    fixture.cleanup(() => stranger.transport.close());
    stranger.transport.setPeers(addresses({ 2: port }));
    await stranger.until('lost 2');
    expect(stranger.errors[0]?.fault?.code).toBe('PLACEMENT_UNAUTHENTICATED');
  });

  test('lets the newer of two streams of one node speak', async () => {
    const second = new TestNode(2, {});
    const port = await second.listen(0);
    const old = new TestNode(1, {
      limits: { ...defaultPeerLimits, reconnect: { firstMs: 60_000, longestMs: 60_000 } },
    });
    fixture.cleanup(() => old.transport.close());
    old.transport.setPeers(addresses({ 2: port }));
    await old.until('connected 2');
    const again = new TestNode(1, {});
    fixture.cleanup(() => again.transport.close());
    again.transport.setPeers(addresses({ 2: port }));
    await old.until('lost 2');
    expect(old.errors[0]?.message).toMatch(/^ABORTED/);
    await again.until('connected 2');
    again.transport.send(id(2), Uint8Array.of(5));
    await second.until('1: 5');
  });

  const refusals = [
    { why: 'it belongs to another cluster', options: { cluster: 'größer' }, peer: 2 },
    { why: 'it means another node', options: {}, peer: 3 },
    { why: 'it has the same number', options: { self: id(2) }, peer: 1 },
  ];
  for (const { why, options, peer } of refusals) {
    test(`refuses a node because ${why}`, async () => {
      const second = new TestNode(2, {});
      const port = await second.listen(0);
      const first = new TestNode(1, options);
      fixture.cleanup(() => first.transport.close());
      first.transport.setPeers(addresses({ [peer]: port }));
      await first.until(`lost ${peer}`);
      expect(first.errors[0]?.message).toMatch(/^FAILED_PRECONDITION/);
      expect(first.events).toEqual([]);
    });
  }
});

/** A relay that can stop passing bytes on without closing anything. */
async function openCable(
  port: number,
): Promise<{ readonly port: number; cut(): void; mend(): void }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('data', (bytes) => {
        if (!isCut) to.write(bytes);
      });
      from.on('close', () => {
        sockets.delete(from);
        if (!isCut) to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  fixture.cleanup(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port: own } = server.address() as { port: number };
  return {
    port: own,
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
      for (const socket of sockets) socket.destroy();
    },
  };
}
