import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { PLAIN } from './testing/carriers.ts';
import { RecordingServer } from './testing/recording-server.ts';

// A Node.js without the internal binding, for this test file's process only.
const host = process as unknown as { binding: unknown };
const binding = host.binding;
host.binding = undefined;
afterAll(() => {
  host.binding = binding;
});

test('without the internal binding, auto serves over net.Socket and says why', async () => {
  const server = new RecordingServer();
  await server.start({ ...PLAIN, engine: 'auto' });
  expect(server.listener.engine).toBe('socket');
  expect(server.listener.engineFallbackReason).toMatch(/process\.binding/);
  const client = connect(server.port, '127.0.0.1');
  client.write('hello');
  const accepted = await server.connection(0);
  await accepted.until(() => accepted.text === 'hello');
  const closed = once(client, 'close');
  client.resume();
  await server.stop();
  await closed;
});

test('without the internal binding, raw does not start, and says what to set', async () => {
  const server = new RecordingServer();
  await expect(server.start({ ...PLAIN, engine: 'raw' })).rejects.toMatchObject({
    code: 'LISTEN_RAW_ENGINE_UNUSABLE',
    message: expect.stringContaining('Set the engine to auto or socket'),
  });
});
