import { describe, expect, test } from 'vitest';
import {
  clientConnectedEvent,
  clientDisconnectedEvent,
  clientSubscribedEvent,
  clientUnsubscribedEvent,
  PresenceEpoch,
} from './presence-event.ts';

const moment = { nodeName: 'node-1', nowMs: 1_700_000_000_000, epoch: 42 };
const client = { clientId: 'c1', username: 'u', remoteAddress: '192.0.2.1', protocolLevel: 5 };
const common = { clientid: 'c1', username: 'u', ipaddress: '192.0.2.1', proto_ver: 5, epoch: 42 };

describe('presence events', () => {
  const rows = [
    {
      kind: 'connected',
      event: clientConnectedEvent(moment, client, {
        keepAliveSeconds: 60,
        sessionExpirySeconds: 0,
        cleanStart: true,
        sessionPresent: false,
      }),
      facts: { keepalive: 60, expiry_interval: 0, clean_start: true, connected_at: moment.nowMs },
    },
    {
      kind: 'disconnected',
      event: clientDisconnectedEvent(moment, client, { cause: 'taken_over', reasonCode: 0x8e }),
      facts: { reason: 'taken_over', reason_code: 0x8e, disconnected_at: moment.nowMs },
    },
    {
      kind: 'subscribed',
      event: clientSubscribedEvent(moment, client, { topicFilter: 'a/#', qos: 1 }),
      facts: { topic: 'a/#', qos: 1 },
    },
    {
      kind: 'unsubscribed',
      event: clientUnsubscribedEvent(moment, client, { topicFilter: 'a/#' }),
      facts: { topic: 'a/#' },
    },
  ];
  test.each(rows)('$kind names client, time and epoch', ({ kind, event, facts }) => {
    expect(event.topic).toBe(`$SYS/brokers/node-1/clients/c1/${kind}`);
    expect(JSON.parse(event.payload)).toMatchObject({ ...common, ...facts, ts: moment.nowMs });
  });

  test('stay one topic level whatever the client calls itself', () => {
    const odd = { ...client, clientId: 'a/b+#%2F' };
    const event = clientUnsubscribedEvent(moment, odd, { topicFilter: 'x' });
    expect(event.topic).toBe('$SYS/brokers/node-1/clients/a%2Fb%2B%23%252F/unsubscribed');
    expect(JSON.parse(event.payload)).toMatchObject({ clientid: 'a/b+#%2F' });
  });

  test('have epochs that rise, from one start to the next too', () => {
    const first = new PresenceEpoch(1_700_000_000_000);
    const epochs = [first.next(), first.next(), new PresenceEpoch(1_700_000_000_001).next()];
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
    expect(new Set(epochs).size).toBe(3);
    expect(epochs.every(Number.isSafeInteger)).toBe(true);
  });
});
