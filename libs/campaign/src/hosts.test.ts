import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Hosts, whyNoHosts } from './hosts.ts';

const reason = whyNoHosts();
if (reason !== null) console.warn(`SKIPPED: hosts that can be cut off: ${reason}`);

const ECHO = `require('net').createServer((s) => s.pipe(s)).listen(7000, () => console.log('up'))`;

describe.skipIf(reason !== null)('hosts', () => {
  let hosts: Hosts;
  beforeEach(() => {
    hosts = Hosts.open(2);
  });
  afterEach(() => hosts.close());

  test('reach each other and are reached, until they are cut off', async () => {
    const words = [...hosts.wrap(1).slice(1), process.execPath, '-e', ECHO];
    const server = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(server.stdout, 'data');
      expect(await answers(hosts.address(1))).toBe(true);
      expect(answersOn(hosts, 2)).toBe(true);
      hosts.cut([[1], [2]]);
      expect(await answers(hosts.address(1))).toBe(true);
      expect(answersOn(hosts, 2)).toBe(false);
      hosts.isolate(1);
      expect(await answers(hosts.address(1))).toBe(false);
      hosts.heal();
      expect(await answers(hosts.address(1))).toBe(true);
      expect(answersOn(hosts, 2)).toBe(true);
    } finally {
      server.kill('SIGKILL');
      await once(server, 'close');
    }
  });
});

/** Whether a connection from the root namespace is accepted before long. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 7000, timeout: 700 });
    const settle = (verdict: boolean): void => {
      socket.destroy();
      resolve(verdict);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

function answersOn(hosts: Hosts, host: number): boolean {
  const script = `const s = require('net').connect({ host: '${hosts.address(1)}', port: 7000 });
    s.on('connect', () => process.exit(0)); s.on('error', () => process.exit(1));
    setTimeout(() => process.exit(1), 700)`;
  const words = [...hosts.wrap(host).slice(1), process.execPath, '-e', script];
  return spawnSync('ip', words).status === 0;
}
