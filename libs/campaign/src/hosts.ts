/**
 * Hosts on one machine: network namespaces on a common switch, which can be cut off from each other.
 *
 *      root namespace      switch             host 1 … N
 *      10.s.0.254  ──────  bridge  ──────── 10.s.0.1 … 10.s.0.N
 *
 * A cut is silent, as when a cable is pulled: whoever must not be heard is routed to a device that
 * swallows everything. Nothing is refused, and connections learn of it only by waiting.
 */
import { execFileSync, spawnSync } from 'node:child_process';

const PREFIX_BITS = 24;

export class Hosts {
  readonly count: number;
  readonly #name: string;
  readonly #network: string;

  private constructor(count: number, subnet: number) {
    this.count = count;
    this.#name = `rmq${process.pid}`;
    this.#network = `10.${subnet}.0`;
  }

  /** Makes `count` hosts; `close` removes them. Throws when the machine does not allow it. */
  static open(count: number): Hosts {
    const hosts = new Hosts(count, 64 + (process.pid % 128));
    process.once('exit', hosts.#removeAll);
    try {
      hosts.#build();
    } catch (error) {
      hosts.close();
      throw error;
    }
    return hosts;
  }

  /** Where host `host` (from 1) is reached, from here and from the others. */
  address(host: number): string {
    return `${this.#network}.${host}`;
  }

  /** The words in front of a command that make it run on `host`; the process keeps its id. */
  wrap(host: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#namespace(host)];
  }

  /** `from` is no longer heard by `to`; the other direction is another call. */
  silence(from: number, to: number): void {
    this.#route(from, 'replace', this.address(to));
  }

  /** Hosts of different groups no longer hear each other; those in no group are untouched. */
  cut(groups: readonly (readonly number[])[]): void {
    for (const group of groups) {
      const others = groups.filter((other) => other !== group).flat();
      for (const host of group) for (const other of others) this.silence(host, other);
    }
  }

  /** Nobody hears `host` any more, nor do clients in the root namespace. */
  isolate(host: number): void {
    for (let other = 1; other <= this.count; other += 1) {
      if (other === host) continue;
      this.silence(host, other);
      this.silence(other, host);
    }
    this.#route(host, 'replace', `${this.#network}.254`);
  }

  /** Everyone hears everyone again. */
  heal(): void {
    for (let host = 1; host <= this.count; host += 1) {
      const inside = this.wrap(host).slice(1);
      for (const line of run('ip', ...inside, 'ip', 'route', 'show', 'dev', 'nowhere').split(
        '\n',
      )) {
        const target = line.trim().split(' ')[0];
        if (target !== undefined && target !== '') this.#route(host, 'del', target);
      }
    }
  }

  close(): void {
    process.removeListener('exit', this.#removeAll);
    this.#removeAll();
  }

  readonly #removeAll = (): void => {
    for (let host = 0; host <= this.count; host += 1) {
      spawnSync('ip', ['netns', 'del', this.#namespace(host)]);
    }
    spawnSync('ip', ['link', 'del', `${this.#name}h`]);
  };

  /** Host 0 is the switch. */
  #namespace(host: number): string {
    return `${this.#name}-${host}`;
  }

  #build(): void {
    const ports = `${this.#name}p`;
    run('ip', 'netns', 'add', this.#namespace(0));
    this.#inside(0, 'link', 'add', 'switch', 'type', 'bridge');
    this.#inside(0, 'link', 'set', 'switch', 'up');
    this.#plug(`${this.#name}h`, `${ports}0`);
    run('ip', 'address', 'add', `${this.#network}.254/${PREFIX_BITS}`, 'dev', `${this.#name}h`);
    run('ip', 'link', 'set', `${this.#name}h`, 'up');
    for (let host = 1; host <= this.count; host += 1) {
      run('ip', 'netns', 'add', this.#namespace(host));
      this.#plug(`${this.#name}t`, `${ports}${host}`);
      run('ip', 'link', 'set', `${this.#name}t`, 'netns', this.#namespace(host), 'name', 'net0');
      this.#inside(host, 'link', 'set', 'lo', 'up');
      this.#inside(host, 'address', 'add', `${this.address(host)}/${PREFIX_BITS}`, 'dev', 'net0');
      this.#inside(host, 'link', 'set', 'net0', 'up');
      // Not every kernel has dummy devices; a cable whose other end forwards nothing does as well.
      this.#inside(host, 'link', 'add', 'nowhere', 'type', 'veth', 'peer', 'name', 'nobody');
      this.#inside(host, 'link', 'set', 'nobody', 'up');
      this.#inside(host, 'link', 'set', 'nowhere', 'arp', 'off', 'up');
    }
  }

  /** A cable from the root namespace to the switch. */
  #plug(end: string, port: string): void {
    run('ip', 'link', 'add', end, 'type', 'veth', 'peer', 'name', port);
    run('ip', 'link', 'set', port, 'netns', this.#namespace(0));
    this.#inside(0, 'link', 'set', port, 'master', 'switch', 'up');
  }

  #route(host: number, verb: 'replace' | 'del', target: string): void {
    this.#inside(host, 'route', verb, `${target}/32`, 'dev', 'nowhere', 'src', this.address(host));
  }

  #inside(host: number, ...words: readonly string[]): void {
    run('ip', '-n', this.#namespace(host), ...words);
  }
}

/** Why there can be no hosts here; null when there can. */
export function whyNoHosts(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid?.() !== 0) return 'making network namespaces needs root';
  const probe = `rmq${process.pid}-probe`;
  const made = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
  if (made.error !== undefined) return 'the program ip is missing (Debian: iproute2)';
  if (made.status !== 0) return `ip netns: ${made.stderr.trim()}`;
  spawnSync('ip', ['netns', 'del', probe]);
  return null;
}

function run(command: string, ...words: readonly string[]): string {
  return execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
