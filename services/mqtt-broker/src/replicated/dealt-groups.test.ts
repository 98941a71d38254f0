import { describe, expect, test } from 'vitest';
import { GroupModel } from './group-model.fixture.ts';

const STEPS = Number(process.env['ROBUSTMQ_TEST_STEPS'] ?? '150');
const SEEDS = (process.env['ROBUSTMQ_TEST_SEEDS'] ?? '1,2').split(',').map(Number);
/** On a machine that does much else. */
const WAIT_MS = 120_000;

describe('a shared subscription whose durable members are on several brokers', () => {
  for (const seed of SEEDS) {
    test(`loses nothing and doubles no QoS 2, seed ${seed}`, { timeout: WAIT_MS }, async () => {
      const model = new GroupModel(seed, false);
      try {
        await model.start();
        for (let step = 0; step < STEPS; step += 1) await model.step();
        await model.settle(() => model.lost(1).length + model.lost(2).length === 0);
        expect(model.messages).toBeGreaterThan(100);
        expect([...model.lost(1), ...model.lost(2)].slice(0, 5)).toEqual([]);
        expect(model.doubled.slice(0, 5)).toEqual([]);
        expect(model.cluster.fatal).toEqual([]);
      } finally {
        await model.cluster.end();
      }
    });

    test(`nor when sessions of members end, seed ${seed}`, { timeout: WAIT_MS }, async () => {
      const model = new GroupModel(seed, true);
      try {
        await model.start();
        for (let step = 0; step < STEPS; step += 1) await model.step();
        await model.settle(() => model.lost(1).length === 0);
        expect(model.lost(1).slice(0, 5)).toEqual([]);
        // What was sent with QoS 2 ends with the session that it was sent to (MQTT-5.0 [MQTT-4.8.2-5]).
        expect(model.doubled.slice(0, 5)).toEqual([]);
        expect(model.cluster.fatal).toEqual([]);
      } finally {
        await model.cluster.end();
      }
    });
  }
});
