import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectMemoryPair, type MemoryPair } from './memory-pair.ts';
import { Accepted } from './testing/recording-server.ts';

function recorded(pair: MemoryPair): { client: Accepted; server: Accepted } {
  const client = new Accepted(pair.client);
  const server = new Accepted(pair.server);
  pair.client.handler = client;
  pair.server.handler = server;
  return { client, server };
}

const hello = Buffer.from('hello');

describe('a pair of connections in memory', () => {
  test('delivers nothing before it is told to', () => {
    const pair = connectMemoryPair();
    const { server } = recorded(pair);
    expect(pair.client.write(hello, 4)).toBe('written');
    expect(server.text).toBe('');
    pair.settle();
    expect(server.text).toBe('hell');
    expect(pair.step()).toBe(false);
  });

  test('a full direction is pending until the receiver takes bytes', () => {
    const pair = connectMemoryPair({ bufferBytes: 4, deliveryBytesMax: 3 });
    const { client, server } = recorded(pair);
    pair.server.pause();
    expect(pair.client.write(hello, 5)).toBe('pending');
    expect(() => pair.client.write(hello, 5)).toThrow(/still pending/);
    expect(pair.settle()).toBe(0);
    pair.server.resume();
    pair.settle();
    expect(client.drainedBuffers).toEqual([hello]);
    expect(server.text).toBe('hello');
  });

  test('end delivers everything, and both sides close once', () => {
    const pair = connectMemoryPair();
    const { client, server } = recorded(pair);
    pair.server.write(hello, 5);
    pair.server.end(1);
    expect(pair.server.write(hello, 5)).toBe('closed');
    pair.settle();
    expect(client.text).toBe('hello');
    expect(client.closings).toEqual([{ kind: 'ended' }]);
    expect(server.closings).toEqual([{ kind: 'destroyed' }]);
  });

  test('destroy closes later, and the peer sees an end', () => {
    const pair = connectMemoryPair();
    const { client, server } = recorded(pair);
    pair.server.destroy();
    pair.server.destroy();
    expect(server.closings).toEqual([]);
    pair.settle();
    expect(server.closings).toEqual([{ kind: 'destroyed' }]);
    expect(client.closings).toEqual([{ kind: 'ended' }]);
  });

  test('the same calls give the same history, and no byte is lost or moved', () => {
    const script = fc.array(
      fc.oneof(fc.constant('step' as const), fc.uint8Array({ minLength: 1, maxLength: 9 })),
    );
    fc.assert(
      fc.property(script, fc.integer({ min: 1, max: 5 }), (steps, deliveryBytesMax) => {
        const run = (): { history: string[]; sent: Buffer } => {
          const pair = connectMemoryPair({ bufferBytes: 6, deliveryBytesMax });
          const { server } = recorded(pair);
          const history: string[] = [];
          server.onReceived = (chunk): void => void history.push(chunk.toString('hex'));
          let sent = Buffer.alloc(0);
          for (const step of steps) {
            if (step === 'step') {
              pair.step();
              continue;
            }
            if (pair.client.write(step, step.length) === 'pending') pair.settle();
            sent = Buffer.concat([sent, step]);
          }
          pair.settle();
          return { history, sent };
        };
        const first = run();
        expect(first.history.join('')).toBe(first.sent.toString('hex'));
        expect(run().history).toEqual(first.history);
      }),
      { numRuns: 100 },
    );
  });
});
