import { ReasonCode } from '@robustmq/mqtt-codec';
import { afterEach, expect, test } from 'vitest';
import { TestCluster } from './test-cluster.fixture.ts';

const LIMITS = '[limits]\nconnects_deciding_max = 2\nconnects_waiting_max = 3';
let cluster = new TestCluster(LIMITS);
afterEach(async () => {
  await cluster.close();
  cluster = new TestCluster(LIMITS);
});

test('clients that come at once are let in by turns, and those beyond the queue are told to come again', async () => {
  const broker = await cluster.broker(1);
  const clients = Array.from({ length: 7 }, (_, index) => broker.client(`c${index}`));
  const answers = clients.map((client) => client.connect({ expirySeconds: 100 }));
  const { admission, counters } = broker.context;
  expect([admission.deciding, admission.waiting]).toEqual([2, 3]);
  // A session that ends with its connection needs nothing that the others wait for.
  const passing = await broker.client('passing').connect();
  expect(passing?.reasonCode).toBe(0);
  const codes = (await Promise.all(answers)).map((answer) => answer?.reasonCode);
  const { serverBusy } = ReasonCode;
  expect(codes).toEqual([0, 0, 0, 0, 0, serverBusy, serverBusy]);
  expect(counters.connectsRefusedBusy).toBe(2);
  expect([admission.deciding, admission.waiting]).toEqual([0, 0]);
});

test('a client that has gone while it waited takes nothing', async () => {
  const broker = await cluster.broker(1);
  const clients = Array.from({ length: 4 }, (_, index) => broker.client(`c${index}`));
  const answers = clients.map((client) => client.connect({ expirySeconds: 100 }));
  clients[3]?.drop();
  const codes = (await Promise.all(answers)).map((answer) => answer?.reasonCode);
  expect(codes).toEqual([0, 0, 0, undefined]);
  await cluster.until(() => broker.context.admission.deciding === 0);
  expect(broker.context.sessions.find('c3')).toBeUndefined();
});
