import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type AdminServer, type AdminServerOptions, createAdminServer } from './admin-server.ts';
import { healthReport, type HealthSource } from './health.ts';

const fine = healthReport([{ name: 'listeners', ok: true, detail: '2 up' }]);
const health: HealthSource = { live: () => fine, started: () => fine, ready: () => fine };

const options: AdminServerOptions = {
  host: '127.0.0.1',
  port: 0,
  portKey: 'http_port',
  node: { name: 'robustmq', version: '0.1.0', id: 7 },
  metrics: {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    render: async () => 'up 1\n',
  },
  health,
  onFailure: () => undefined,
};

let running: { stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()));
  running = [];
});

async function started(server: AdminServer): Promise<string> {
  running.push(server);
  await server.start();
  const address = server.address();
  return `http://${address?.host}:${address?.port}`;
}

async function json(url: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}

describe('the admin server', () => {
  test('serves the metrics with their content type, never cached', async () => {
    const url = await started(createAdminServer(options));
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toBe(options.metrics.contentType);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('up 1\n');
  });

  test('says at / who it is and where to go on', async () => {
    const url = await started(createAdminServer(options));
    expect((await json(url)).body).toMatchObject({
      name: 'robustmq',
      version: '0.1.0',
      node_id: 7,
      links: { metrics: '/metrics', ready: '/health/ready' },
    });
  });

  test('answers 200 to a health question whose checks are all well, and names them', async () => {
    const url = await started(createAdminServer(options));
    for (const path of ['live', 'ready', 'started']) {
      expect(await json(`${url}/health/${path}`)).toEqual({
        status: 200,
        body: { status: 'ok', checks: [{ name: 'listeners', ok: true, detail: '2 up' }] },
      });
    }
  });

  test('answers 503 and names the check while the journal takes nothing, yet is alive', async () => {
    const full = { name: 'journal_accepting', ok: false, detail: 'disk full' };
    const ready = () => healthReport([...fine.checks, full]);
    const url = await started(createAdminServer({ ...options, health: { ...health, ready } }));
    expect(await json(`${url}/health/ready`)).toMatchObject({
      status: 503,
      body: { status: 'unavailable', checks: [{ ok: true }, full] },
    });
    expect((await json(`${url}/health/live`)).status).toBe(200);
  });

  test('takes a health source that throws for a failed check', async () => {
    const ready = () => {
      throw new Error('not assembled');
    };
    const url = await started(createAdminServer({ ...options, health: { ...health, ready } }));
    expect(await json(`${url}/health/ready`)).toMatchObject({
      status: 503,
      body: { checks: [{ name: 'health_source', ok: false }] },
    });
  });

  test('answers an unknown path with 404 in JSON', async () => {
    const url = await started(createAdminServer(options));
    expect(await json(`${url}/nothing`)).toMatchObject({
      status: 404,
      body: { error: 'not_found' },
    });
  });

  test('answers a route that fails with 500, tells the broker why, and the client not', async () => {
    const failures: unknown[] = [];
    const secret = new Error('password is pwd123');
    const url = await started(
      createAdminServer({
        ...options,
        metrics: { ...options.metrics, render: () => Promise.reject(secret) },
        onFailure: (error, path) => failures.push([error, path]),
      }),
    );
    const { status, body } = await json(`${url}/metrics`);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('pwd123');
    expect(failures).toEqual([[secret, '/metrics']]);
  });

  test('serves registered routes with parameters, query and body', async () => {
    const server = createAdminServer(options);
    server.register({
      method: 'POST',
      path: '/api/v1/clients/:id',
      handle: ({ params, query, body }) => ({ status: 201, body: { params, query, body } }),
    });
    const url = await started(server);
    const response = await fetch(`${url}/api/v1/clients/c1?force=yes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"reason":"test"}',
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      params: { id: 'c1' },
      query: { force: 'yes' },
      body: { reason: 'test' },
    });
  });

  test('refuses a body beyond 64 KiB and a body that is not JSON', async () => {
    const server = createAdminServer(options);
    server.register({ method: 'POST', path: '/echo', handle: () => ({ status: 200, body: {} }) });
    const url = await started(server);
    const headers = { 'content-type': 'application/json' };
    const large = JSON.stringify('x'.repeat(70_000));
    expect((await fetch(`${url}/echo`, { method: 'POST', headers, body: large })).status).toBe(413);
    expect((await fetch(`${url}/echo`, { method: 'POST', headers, body: '{' })).status).toBe(400);
  });

  test('refuses headers beyond 16 KiB', async () => {
    const server = createAdminServer(options);
    await started(server);
    const answer = await rawAnswer(
      server.address()?.port ?? 0,
      `GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 431 /);
  });

  test('names port and configuration key when the port is in use', async () => {
    const owner = await listening();
    const address = owner.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const server = createAdminServer({ ...options, port });
    await expect(server.start()).rejects.toMatchObject({
      message: expect.stringMatching(`127.0.0.1:${port}.*http_port`),
      fault: { code: 'ADMIN_PORT_IN_USE', address: `127.0.0.1:${port}`, key: 'http_port' },
    });
    expect(server.address()).toBeNull();
  });

  test('has no address once stopped, and may be stopped twice', async () => {
    const server = createAdminServer(options);
    await started(server);
    await server.stop();
    await server.stop();
    expect(server.address()).toBeNull();
  });
});

async function listening(): Promise<Server> {
  const server = createServer();
  running.push({ stop: () => new Promise((resolve) => server.close(() => resolve())) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function rawAnswer(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}
