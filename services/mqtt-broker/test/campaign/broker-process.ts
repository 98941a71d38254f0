/** The broker as its own process: what campaigns kill, cut off from power, and measure. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokerAddress, BrokerPlace } from '@robustmq/campaign';

const MAIN = fileURLToPath(new URL('../../../robustctl/dist/main.js', import.meta.url));
const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;
const OUTPUT_CHARACTERS_MAX = 64 * 1024;

/** How to start it. */
export interface BrokerOptions {
  /** For the configuration file. */
  readonly folder: string;
  /** The data; null keeps everything in memory. */
  readonly dataFolder: string | null;
  /** Lines of the configuration file, by section. */
  readonly sections: Readonly<Record<string, readonly string[]>>;
  readonly nodeOptions: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export class BrokerProcess implements BrokerPlace {
  readonly #options: BrokerOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #expectedExit = true;
  #output = '';
  port: number | null = null;
  httpPort: number | null = null;
  /** Ends that nobody asked for. */
  crashes = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run make build`);
  }

  readonly patienceMs: null = null;

  /** null while it does not serve. */
  addressFor(): BrokerAddress | null {
    return this.port === null ? null : { host: '127.0.0.1', port: this.port };
  }

  /** What it wrote last. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Starts it and resolves with the milliseconds until it says that it is ready. */
  async start(): Promise<number> {
    const startedAtMs = performance.now();
    this.#spawn();
    await this.#ready();
    return performance.now() - startedAtMs;
  }

  /** Kills it in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#expectedExit = true;
    this.port = null;
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** Asks it to stop; resolves with false when it had to be killed. */
  async stop(): Promise<boolean> {
    this.#expectedExit = true;
    this.#child?.kill('SIGTERM');
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#child?.kill('SIGKILL');
    }, STOP_LIMIT_MS);
    await this.#exited;
    clearTimeout(timer);
    return !late;
  }

  /** Resident memory now. */
  get residentBytes(): number {
    return this.#statusBytes('VmRSS');
  }

  /** The most resident memory it ever had. */
  get residentBytesMax(): number {
    return this.#statusBytes('VmHWM');
  }

  #statusBytes(name: string): number {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
    } catch {
      return 0; // it has just ended
    }
  }

  #spawn(): void {
    const path = join(this.#options.folder, 'broker.toml');
    writeFileSync(path, configurationText(this.#options));
    const child = spawn(
      process.execPath,
      [...this.#options.nodeOptions, MAIN, 'standalone', 'start', path],
      {
        env: {
          PATH: process.env['PATH'] ?? '',
          // A campaign starts it very often, and measures nothing.
          ROBUST_MQ_SERVER_SYSTEM_WARM_UP_MS: '0',
          ...this.#options.environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    // It must not outlive a campaign that breaks off.
    const killChild = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', killChild);
    child.once('close', () => process.removeListener('exit', killChild));
    this.#expectedExit = false;
    this.#output = '';
    const hear = (chunk: Buffer): void => {
      this.#output = (this.#output + String(chunk)).slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('close', () => {
        this.#child = null;
        this.port = null;
        if (!this.#expectedExit) this.crashes += 1;
        resolve();
      });
    });
  }

  #ready(): Promise<void> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`not ready after ${READY_LIMIT_MS} ms:\n${this.#output}`));
      }, READY_LIMIT_MS);
      child?.once('close', () => {
        clearTimeout(timer);
        reject(new BrokerEnded(this.#output));
      });
      child?.stdout?.on('data', () => {
        const ports = portsIn(this.#output);
        if (ports === null || this.port !== null || this.#child !== child) return;
        clearTimeout(timer);
        this.port = ports.tcp;
        this.httpPort = ports.http;
        resolve();
      });
    });
  }
}

/** The broker ended before it was ready. */
export class BrokerEnded extends Error {
  override readonly name = 'BrokerEnded';
  readonly output: string;

  constructor(output: string) {
    super(`the broker ended before it was ready:\n${output}`);
    this.output = output;
  }
}

function portsIn(output: string): { readonly tcp: number; readonly http: number | null } | null {
  const tcp = /mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1];
  if (tcp === undefined || !output.includes('Try, in two other terminals')) return null;
  const http = /http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1];
  return { tcp: Number(tcp), http: http === undefined ? null : Number(http) };
}

function configurationText({ dataFolder, folder, sections }: BrokerOptions): string {
  const all: Record<string, readonly string[]> = {
    ...sections,
    network: ['tcp_port = 0', 'websocket_port = "off"', ...(sections['network'] ?? [])],
    storage: [
      `directory = ${JSON.stringify(dataFolder ?? join(folder, 'data'))}`,
      `storage_type = ${dataFolder === null ? '"memory"' : '"segment"'}`,
      ...(sections['storage'] ?? []),
    ],
    log: ['log_format = "json"', ...(sections['log'] ?? [])],
  };
  const parts = Object.entries(all).map(([name, lines]) => `[${name}]\n${lines.join('\n')}\n`);
  return `http_port = 0\n${parts.join('\n')}`;
}
