/** HAProxy in front of brokers: clients know one address. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@robustmq/campaign';

/** Why there is none; null when there is. */
export function whyNoLoadBalancer(): string | null {
  const found = spawnSync('haproxy', ['-v']);
  return found.error === undefined ? null : 'the program haproxy is missing (Debian: haproxy)';
}

export class LoadBalancer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** @param targets  `host:port` of each broker */
  static async start(folder: string, targets: readonly string[]): Promise<LoadBalancer> {
    const [port = 0] = await freePorts(1);
    const file = join(folder, 'haproxy.cfg');
    const servers = targets.map(
      (target, index) => `  server broker-${index + 1} ${target} check inter 200ms fall 2 rise 1`,
    );
    const lines = [
      'defaults',
      '  mode tcp',
      '  timeout connect 1s',
      '  timeout client 1h',
      '  timeout server 1h',
      '  option redispatch',
      'frontend mqtt',
      `  bind 127.0.0.1:${port}`,
      '  default_backend brokers',
      'backend brokers',
      '  balance roundrobin',
      '  default-server on-marked-down shutdown-sessions',
      ...servers,
      '',
    ];
    writeFileSync(file, lines.join('\n'));
    const child = spawn('haproxy', ['-f', file, '-db'], { stdio: 'ignore' });
    process.once('exit', () => child.kill('SIGKILL'));
    return new LoadBalancer(port, child);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
