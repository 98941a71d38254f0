/** One program that runs for a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const MEMORY_DISK = '/dev/shm';
const READY_ATTEMPTS_MAX = 400;
const READY_WAIT_MS = 50;

/** A new folder, in memory where the system has one. */
export function temporaryFolder(prefix: string): string {
  return mkdtempSync(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), prefix));
}

export class ServerProcess {
  readonly #program: string;
  readonly #arguments: readonly string[];
  readonly #identity: { readonly uid?: number; readonly gid?: number };
  #child: ChildProcess | null = null;
  #output = '';

  constructor(
    program: string,
    programArguments: readonly string[],
    identity: { readonly uid?: number; readonly gid?: number } = {},
  ) {
    this.#program = program;
    this.#arguments = programArguments;
    this.#identity = identity;
  }

  /** What it has said, the end of it. */
  get output(): string {
    return this.#output.slice(-4000);
  }

  /** null while it is not running. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  forgetOutput(): void {
    this.#output = '';
  }

  start(): void {
    const child = spawn(this.#program, [...this.#arguments], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...this.#identity,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-8000);
      });
    }
    this.#child = child;
  }

  /** Waits until something listens on the port. */
  async listensOn(port: number): Promise<void> {
    await this.answers(`port ${port}`, () => isOpen(port));
  }

  /** Waits until `attempt` says yes. @throws when the program has ended, with what it said */
  async answers(what: string, attempt: () => Promise<boolean>): Promise<void> {
    for (let left = READY_ATTEMPTS_MAX; left > 0; left -= 1) {
      if (await attempt()) return;
      if (this.#child === null || this.#child.exitCode !== null) break;
      await wait(READY_WAIT_MS);
    }
    throw new Error(`${this.#program}: ${what} does not answer\n${this.output}`);
  }

  /** As if the machine lost its power. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Holds it where it is, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
