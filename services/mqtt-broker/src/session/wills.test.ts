import { Message, Router } from '@robustmq/broker';
import { describe, expect, test } from 'vitest';
import type { BrokerContext } from '../broker-context.ts';
import { FieldWriter } from '../durable/operations.ts';
import { decodeWill, encodeWill } from './wills.ts';

const router = new Router({
  topicsCachedMax: 10,
  strategy: 'round_robin',
  encode: (name) => new TextEncoder().encode(name),
});
const CONTEXT = { router } as BrokerContext;

describe('the record of a will', () => {
  const owners = [
    { username: null, superuser: false },
    { username: '', superuser: true },
    { username: 'alice ü', superuser: false },
  ];
  test('says in whose name it is published', () => {
    for (const owner of owners) {
      const message = new Message(router.topicOf('a/will'));
      message.payloadBytes = Uint8Array.of(1, 2);
      message.payloadEnd = 2;
      message.qos = 2;
      message.retain = true;
      const will = { message, delaySeconds: 3, expirySeconds: 0, owner };
      const read = decodeWill(CONTEXT, encodeWill(will));
      expect(read).toMatchObject({ delaySeconds: 3, expirySeconds: 0, owner });
      expect([read.message.qos, read.message.retain, read.message.topic.name]).toEqual([
        2,
        true,
        'a/will',
      ]);
    }
  });

  test('of an older version is a stranger’s', () => {
    const old = new FieldWriter().text('t').u8(1).u32(0).u32(0);
    const bytes = old.blob(new Uint8Array(0)).blob(Uint8Array.of(7)).finish();
    expect(decodeWill(CONTEXT, bytes).owner).toEqual({ username: null, superuser: false });
  });
});
