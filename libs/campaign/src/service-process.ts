/** One process of a service: what campaigns start, kill, stop and cut off. */
import { type ChildProcess, spawn } from 'node:child_process';
import { residentBytesOf } from './resident-bytes.ts';

const OUTPUT_CHARACTERS_MAX = 64 * 1024;
const STOP_LIMIT_MS = 15_000;

/** How to start it. */
export interface ServiceCommand {
  /** Program and words; those that choose a host stand in front. Read anew at every start. */
  readonly words: readonly string[];
  readonly folder: string;
  /** Beside PATH. */
  readonly environment: Readonly<Record<string, string>>;
}

export class ServiceProcess {
  readonly #command: ServiceCommand;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #expectsExit = true;
  #output = '';
  #sinceStart = '';
  /** Ends that nobody asked for. */
  crashes = 0;
  isStopped = false;

  constructor(command: ServiceCommand) {
    this.#command = command;
  }

  /** What it wrote last. */
  get output(): string {
    return this.#output;
  }

  /** The first of what it wrote since it was last started. */
  get outputSinceStart(): string {
    return this.#sinceStart;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** null while it is not running. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Resident memory now; 0 while it is not running. */
  get residentBytes(): number {
    return residentBytesOf(this.pid);
  }

  /** Starts the process; whether it serves is for a client to find out. */
  start(): void {
    if (this.#child !== null) return;
    const { words, folder, environment } = this.#command;
    const [program = '', ...rest] = words;
    const child = spawn(program, rest, {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const killChild = (): void => {
      child.kill('SIGKILL');
    };
    // It must not outlive a campaign that breaks off.
    process.once('exit', killChild);
    const hear = (chunk: Buffer): void => {
      this.#output = (this.#output + String(chunk)).slice(-OUTPUT_CHARACTERS_MAX);
      if (this.#sinceStart.length < OUTPUT_CHARACTERS_MAX) this.#sinceStart += String(chunk);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    this.#expectsExit = false;
    this.#sinceStart = '';
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('close', () => {
        process.removeListener('exit', killChild);
        this.#child = null;
        if (!this.#expectsExit) this.crashes += 1;
        resolve();
      });
    });
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#expectsExit = true;
    this.#child?.kill('SIGKILL');
    this.isStopped = false;
    await this.#exited;
  }

  /** Asks it to end; kills it when it does not. @returns whether it obeyed */
  async end(): Promise<boolean> {
    this.#expectsExit = true;
    this.#child?.kill('SIGTERM');
    let obeyed = true;
    const limit = setTimeout(() => {
      obeyed = false;
      this.#child?.kill('SIGKILL');
    }, STOP_LIMIT_MS);
    await this.#exited;
    clearTimeout(limit);
    return obeyed;
  }

  /** It keeps its sockets and does nothing, as on a machine that hangs. */
  stop(): void {
    this.#child?.kill('SIGSTOP');
    this.isStopped = true;
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
    this.isStopped = false;
  }
}
