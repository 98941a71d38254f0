import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { CLUSTER_WIDE_KEYS } from '../configuration/cluster-wide-keys.ts';
import { CALL, type TestBroker, TestCluster } from './test-cluster.fixture.ts';

let cluster = new TestCluster();
afterEach(async () => {
  await cluster.close();
  cluster = new TestCluster();
});

async function put(name: string, text: string): Promise<void> {
  const setting = { resource: name.split('.'), content: new TextEncoder().encode(text) };
  await cluster.registries.settings.save(setting, null, CALL);
}

const maximumQos = ({ context }: TestBroker): number => context.settings.protocol.maximumQos;

describe('a setting of the whole cluster', () => {
  test('holds on every broker at once, and until it is taken back', async () => {
    const brokers = await cluster.three();
    await put('mqtt.maximum_qos', '1');
    await put('limits.sessions_max', '7');
    await cluster.until(() => brokers.every((broker) => maximumQos(broker) === 1));
    await cluster.until(() =>
      brokers.every(({ context }) => context.settings.limits.sessionsMax === 7),
    );
    const client = brokers[1].client('c');
    expect((await client.connect())?.properties.maximumQos).toBe(1);
    await cluster.registries.settings.delete(['mqtt', 'maximum_qos'], CALL);
    await cluster.until(() => brokers.every((broker) => maximumQos(broker) === 2));
    expect(brokers[0].context.settings.limits.sessionsMax).toBe(7);
  });

  test('holds on a broker that comes later before its clients are let in', async () => {
    await put('mqtt.maximum_qos', '0');
    expect(maximumQos(await cluster.broker(1))).toBe(0);
  });

  test('changes nothing and is told when the broker does not understand it', async () => {
    const broker = await cluster.broker(1);
    await put('mqtt.maximum_qos', 'seven');
    await put('mqtt.from_the_future', '1');
    await cluster.until(() => broker.failures.length >= 2);
    expect(maximumQos(broker)).toBe(2);
    expect(broker.failures.join()).toContain('expected an integer from 0 to 2');
    expect(broker.failures.join()).toContain('expected a key that this broker knows');
  });

  test('is in the reference', () => {
    const page = new URL('../../../../docs/reference/cluster-settings.md', import.meta.url);
    const text = readFileSync(page, 'utf8');
    for (const { name, range } of CLUSTER_WIDE_KEYS) {
      expect(text).toContain(`| \`${name}\` | ${range} |`);
    }
  });
});
