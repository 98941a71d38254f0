import { once } from 'node:events';
import { connect, type Settings } from 'node:http2';
import { expect, test } from 'vitest';
import { RpcFixture } from '../testing/rpc-fixture.ts';
import { receiveWindowBytes } from './receive-window.ts';

test('a client may send a whole batch before the server has looked at any of it', async () => {
  const fixture = new RpcFixture();
  try {
    const { port } = await fixture.serve([], {});
    const session = connect(`http://127.0.0.1:${port}`);
    fixture.cleanup(() => session.destroy());
    const [settings] = (await once(session, 'remoteSettings')) as [Settings];
    expect(settings.initialWindowSize).toBe(receiveWindowBytes);
    // The window of the connection was told before the ping is answered.
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    expect(session.state.remoteWindowSize).toBe(receiveWindowBytes);
  } finally {
    await fixture.close();
  }
});
