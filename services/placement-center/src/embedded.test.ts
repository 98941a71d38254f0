import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedPlacement, openEmbeddedPlacement } from './embedded.ts';

const CALL = { deadlineMs: 10_000, signal: null };

let directory: string;
let failures: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'embedded-'));
  failures = [];
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  expect(failures).toEqual([]);
});

function open(): Promise<EmbeddedPlacement> {
  return openEmbeddedPlacement({
    directory,
    clusterName: 'test',
    node: {
      clusterType: 'mqtt-broker',
      nodeId: 1,
      nodeIp: '127.0.0.1',
      innerAddress: '127.0.0.1:0',
      extendInfo: '',
    },
    onFatal: (detail) => failures.push(detail),
    onControllerFailure: (controller, error) => failures.push(`${controller}: ${String(error)}`),
  });
}

test('each life of the process is another incarnation, and what was written stays', async () => {
  const first = await open();
  const then = [{ kind: 'put', key: 'a', value: new Uint8Array([1]), lease: null } as const];
  await first.placement.transact({ compare: [], then, otherwise: [], requestId: null }, CALL);
  expect(first.registration.node.incarnation).toBe(1);
  await first.close();
  const second = await open();
  expect(second.registration.node.incarnation).toBe(2);
  const range = { first: 'a', after: 'b' };
  const request = { range, limit: 0, content: 'whole', consistency: 'linearizable' } as const;
  expect((await second.placement.range(request, CALL)).count).toBe(1);
  await second.close();
});

test('one that has fallen asleep answers all the same', async () => {
  const { placement, registration, close } = await open();
  // An idle group stops its clock after a second.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await placement.keepLease(registration.lease, CALL)).toMatchObject({ ttlSeconds: 30 });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect((await placement.grantLease(5, CALL)).ttlSeconds).toBe(5);
  await close();
});
