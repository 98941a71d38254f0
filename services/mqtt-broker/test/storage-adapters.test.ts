/** A broker on each medium of the journal: what was acknowledged is there after a stop and after a crash. */
import { describe, expect, test } from 'vitest';
import { type DurableWorld, startDurable } from './durable.fixture.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryIntervalSeconds: 3600 } } as const;

const MEDIA = [{ medium: 'LevelDB', storage: 'storage_type = "level"' }] as const;
const ENDS = [
  { end: 'an orderly stop', again: (world: DurableWorld) => world.restart() },
  { end: 'a crash', again: (world: DurableWorld) => world.crash() },
] as const;

for (const { medium, storage } of MEDIA) {
  describe(`a broker on ${medium}`, () => {
    for (const { end, again } of ENDS) {
      test(`has sessions, messages and retained messages after ${end}`, async () => {
        const world = await startDurable({ storage });
        const reader = await world.client({ ...KEPT, clientId: 'reader' });
        await reader.subscribe('a/+', { qos: 1 });
        await reader.disconnect();
        const publisher = await world.client();
        for (let n = 0; n < 20; n += 1) await publisher.publish(`a/${n % 3}`, `${n}`, { qos: 1 });
        await publisher.publish('kept', 'value', { qos: 1, retain: true });
        await again(world);
        const back = await world.client({ ...KEPT, clientId: 'reader' });
        expect(back.connack.sessionPresent).toBe(true);
        for (let n = 0; n < 20; n += 1) {
          expect(await back.receiveText()).toBe(`${n}`);
        }
        await back.subscribe('kept', { qos: 1 });
        expect(await back.receiveText()).toBe('value');
      });
    }
  });
}
