import { describe, expect, test } from 'vitest';
import { createBrokerCounters } from './broker-counters.ts';
import { zeroGaugeSource } from './gauge-source.ts';
import { StatsWithMax } from './stats-with-max.ts';
import { sysTopicValues } from './sys-topics.ts';

const node = { name: 'node-1', version: '0.1.0', description: 'RobustMQ for TypeScript' };

function values(
  change: (counters: ReturnType<typeof createBrokerCounters>) => void,
): Map<string, string> {
  const counters = createBrokerCounters();
  change(counters);
  const stats = new StatsWithMax().observe({ ...zeroGaugeSource, retainedMessages: () => 4 });
  const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  const snapshot = { counters, stats, uptimeSeconds: 61.9, nowMs, nodeNames: ['node-1', 'node-2'] };
  return new Map(sysTopicValues(snapshot, node));
}

describe('the $SYS tree', () => {
  test('tells who the node is', () => {
    const tree = values(() => undefined);
    expect(tree.get('$SYS/brokers')).toBe('node-1,node-2');
    expect(tree.get('$SYS/brokers/node-1/version')).toBe('0.1.0');
    expect(tree.get('$SYS/brokers/node-1/uptime')).toBe('61');
    expect(tree.get('$SYS/brokers/node-1/datetime')).toBe('2026-01-02T03:04:05.000Z');
    expect(tree.get('$SYS/brokers/node-1/sysdescr')).toBe('RobustMQ for TypeScript');
  });

  test('has these topics and no others', async () => {
    const topics = [...values(() => undefined).keys()];
    expect(new Set(topics).size).toBe(topics.length);
    await expect(`${topics.join('\n')}\n`).toMatchFileSnapshot('../testdata/sys-topics.txt');
  });

  test('sums messages over QoS and packets over types', () => {
    const tree = values((counters) => {
      counters.publishReceivedQos0 = 1;
      counters.publishReceivedQos1 = 10;
      counters.publishReceivedQos2 = 100;
      counters.connectReceived = 1_000;
      counters.droppedQueueFull = 2;
      counters.droppedExpired = 3;
    });
    const metrics = '$SYS/brokers/node-1/metrics';
    expect(tree.get(`${metrics}/messages/received`)).toBe('111');
    expect(tree.get(`${metrics}/messages/qos1/received`)).toBe('10');
    expect(tree.get(`${metrics}/packets/publish/received`)).toBe('111');
    expect(tree.get(`${metrics}/packets/received`)).toBe('1111');
    expect(tree.get(`${metrics}/messages/dropped`)).toBe('5');
    expect(tree.get(`${metrics}/messages/retained`)).toBe('4');
  });

  test('counts every sent and received packet field once in the packet sums', () => {
    const tree = values((counters) => {
      for (const field of Object.keys(counters) as (keyof typeof counters)[]) {
        if (/(?<!bytes)(Received|Sent)(Qos\d)?$/.test(field)) counters[field] = 1;
      }
    });
    expect(tree.get('$SYS/brokers/node-1/metrics/packets/received')).toBe('13');
    expect(tree.get('$SYS/brokers/node-1/metrics/packets/sent')).toBe('13');
  });
});

describe('statistics with their maximum', () => {
  test('keep the largest value that was seen', () => {
    let connections = 3;
    const gauges = { ...zeroGaugeSource, connections: () => connections };
    const stats = new StatsWithMax();
    stats.observe(gauges);
    connections = 1;
    expect(stats.observe(gauges).find(({ name }) => name === 'connections')).toEqual({
      name: 'connections',
      count: 1,
      max: 3,
    });
  });
});
