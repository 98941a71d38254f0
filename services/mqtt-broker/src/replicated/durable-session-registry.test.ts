import { afterEach, expect, test } from 'vitest';
import { Cluster } from './cluster.fixture.ts';

const cluster = new Cluster();
afterEach(() => cluster.end());

test('a session that is on its way when the path ends does not come to it', async () => {
  const a = await cluster.start('a', 1);
  const b = await cluster.start('b', 2);
  await cluster.client(a, 's');
  const terms = { username: '', sessionExpirySeconds: 3600, subscriptions: [] };
  const restoring = b.path.sessions.restore({ clientId: 's', epoch: 2, ...terms }, 1_000);
  b.path.stop();
  await expect(restoring).rejects.toThrow('the journal is closed');
  expect(b.context.sessions.find('s')).toBe(undefined);
});
