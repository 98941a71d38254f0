import { Router, Subscription } from '@robustmq/broker';
import { ExchangeState } from '@robustmq/mqtt-session';
import { describe, expect, test } from 'vitest';
import type { BrokerContext } from '../broker-context.ts';
import { ClientSession } from './client-session.ts';
import { decodeSession, decodeState, encodeSession, encodeState } from './session-record.ts';

const NO_CONTEXT = { sysWatchers: 0 } as BrokerContext;

function sessionOf(username: string | null): ClientSession {
  const identity = { clientId: 'client ü', username, remoteAddress: '10.0.0.1' };
  const session = new ClientSession(NO_CONTEXT, identity, { sessionExpirySeconds: 0xffff_ffff });
  session.number = 9;
  session.epoch = 2 ** 51 + 1;
  return session;
}

describe('the record of a session', () => {
  test('gives back terms and subscriptions with all their options', () => {
    const router = new Router({
      topicsCachedMax: 10,
      strategy: 'round_robin',
      encode: (name) => new TextEncoder().encode(name),
    });
    for (const username of [null, '', 'user']) {
      for (const expiresAtMs of [Number.POSITIVE_INFINITY, 1_800_000_000_000]) {
        const session = sessionOf(username);
        session.expiresAtMs = expiresAtMs;
        session.superuser = username === 'user';
        const subscriptions = [];
        for (let bits = 0; bits < 36; bits += 1) {
          const options = {
            qos: bits % 3,
            noLocal: bits % 2 === 1,
            retainAsPublished: bits % 4 >= 2,
            retainHandling: (bits % 3) as 0 | 1 | 2,
            identifier: bits === 0 ? 0 : 268_435_456 - bits,
            since: bits * 2 ** 40,
          };
          const key = bits === 35 ? '$share/g/a/+' : `a/${bits}`;
          const subscription = new Subscription(key.replace('$share/g/', ''), session, options);
          router.subscribe(subscription, bits === 35 ? 'g' : null);
          session.addSubscription(key, subscription);
          subscriptions.push({ key, ...options });
        }
        expect(decodeSession(encodeSession(session))).toEqual({
          clientId: 'client ü',
          username,
          superuser: username === 'user',
          sessionExpirySeconds: 0xffff_ffff,
          epoch: 2 ** 51 + 1,
          expiresAtMs,
          subscriptions,
        });
      }
    }
  });
});

describe('the state of a session', () => {
  test('gives back place, exchanges and receipts', () => {
    const session = sessionOf(null);
    session.window.restore(65_535, ExchangeState.awaitingPuback, 2 ** 50);
    session.window.restore(1, ExchangeState.awaitingPubcomp, 5);
    for (const receipt of [1, 300, 65_535]) session.receipts.add(receipt);
    session.noteGiver(65_535, 'g/a/+');
    const state = decodeState(encodeState(session, 77, undefined));
    expect([state.number, state.position, state.receipts]).toEqual([9, 77, [1, 300, 65_535]]);
    expect(state.given).toEqual([{ id: 65_535, by: 'g/a/+' }]);
    expect(state.exchanges).toEqual([
      { id: 1, state: ExchangeState.awaitingPubcomp, offset: 5 },
      { id: 65_535, state: ExchangeState.awaitingPuback, offset: 2 ** 50 },
    ]);
  });

  test('holds what the commit that is under way makes of each exchange', () => {
    const rows = [
      { state: ExchangeState.assigned, twice: false, saved: ExchangeState.awaitingPuback },
      { state: ExchangeState.assigned, twice: true, saved: ExchangeState.awaitingPubrec },
      { state: ExchangeState.received, twice: false, saved: ExchangeState.awaitingPubcomp },
      { state: ExchangeState.awaitingPubrec, twice: false, saved: ExchangeState.awaitingPubrec },
    ];
    for (const { state, twice, saved } of rows) {
      const session = sessionOf(null);
      session.window.restore(3, state, 8);
      const bytes = encodeState(session, 9, twice ? new Set([3]) : undefined);
      expect(decodeState(bytes).exchanges).toEqual([{ id: 3, state: saved, offset: 8 }]);
    }
  });
});
