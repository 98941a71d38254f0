import { type ChildProcess, spawn } from 'node:child_process';
import { systemRandom } from '@robustmq/environment';
import { Backoff } from '@robustmq/rpc';
import type { Logger } from '@robustmq/telemetry';
import { CommandError, ExitCode } from '../exit-code.ts';
import type { ProcessRecord, WorkerRecord } from './process-file.ts';
import type { ReadyMessage } from './readiness.ts';
import { WORKER_VARIABLE } from './worker.ts';

const RESTART = { firstMs: 500, longestMs: 30_000 };
/** A worker that has served for so long has no trouble any more. */
const STEADY_MS = 60_000;

/** How the workers of a broker are run. */
export interface WorkerPlan {
  readonly count: number;
  /** Of a process: its program and arguments. */
  readonly command: readonly [program: string, ...words: string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
  nodeIdOf(worker: number): number;
  readonly logger: Logger;
  /** Some worker has ended or is ready again. */
  changed(): void;
}

/**
 * The processes that share the ports of a broker. Each is started again when it ends, after a pause that
 * grows; they end with this process, however that ends.
 */
export class WorkerProcesses {
  readonly #workers: readonly Worker[];

  constructor(plan: WorkerPlan) {
    this.#workers = Array.from({ length: plan.count }, (_, index) => new Worker(plan, index + 1));
  }

  get records(): readonly WorkerRecord[] {
    return this.#workers.map((worker) => worker.record);
  }

  /** Resolves when all are ready. @throws CommandError when one ends before, and then all are stopped */
  async start(): Promise<readonly ReadyMessage[]> {
    try {
      return await Promise.all(this.#workers.map((worker) => worker.start()));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  signal(name: NodeJS.Signals): void {
    for (const worker of this.#workers) worker.signal(name);
  }

  /** Resolves when all have ended. Each drains by itself. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  kill(): void {
    this.signal('SIGKILL');
  }
}

class Worker {
  readonly #plan: WorkerPlan;
  readonly #number: number;
  readonly #backoff = new Backoff(RESTART, systemRandom);
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #httpAddress: string | null = null;
  #startedMs = 0;
  #restarts = 0;
  #stopping = false;

  constructor(plan: WorkerPlan, number: number) {
    this.#plan = plan;
    this.#number = number;
  }

  get record(): WorkerRecord {
    return {
      worker: this.#number,
      nodeId: this.#plan.nodeIdOf(this.#number),
      pid: this.#child?.pid ?? null,
      httpAddress: this.#httpAddress,
      restarts: this.#restarts,
    };
  }

  /** The first time: resolves when it is ready. @throws CommandError when it ends before */
  start(): Promise<ReadyMessage> {
    return new Promise((resolve, reject) => {
      this.#spawn(resolve, (exitCode) => {
        const message = `worker ${this.#number} did not start: it exited with ${exitCode ?? 'a signal'}`;
        reject(new CommandError((exitCode ?? ExitCode.failed) as ExitCode, message));
      });
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGTERM');
    });
  }

  #spawn(
    ready: (message: ReadyMessage) => void,
    endedEarly: (exitCode: number | null) => void,
  ): void {
    const { command, environment, logger } = this.#plan;
    const [program, ...words] = command;
    // A group of its own: what a terminal sends goes to the supervisor alone.
    const child = spawn(program, words, {
      detached: true,
      env: { ...environment, [WORKER_VARIABLE]: String(this.#number) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#startedMs = performance.now();
    let isReady = false;
    child.once('message', (message) => {
      isReady = true;
      const { httpAddress } = message as Pick<ProcessRecord, 'httpAddress'>;
      this.#httpAddress = httpAddress;
      ready(message as ReadyMessage);
      this.#plan.changed();
    });
    child.once('error', (error) => {
      logger.sink.error({ worker: this.#number, err: error }, 'a worker cannot be started');
      if (child.pid === undefined) this.#ended(child, { isReady, exitCode: null }, endedEarly);
    });
    child.once('exit', (exitCode, signal) => {
      if (!this.#stopping) {
        const fields = { worker: this.#number, pid: child.pid, exitCode, signal };
        logger.sink.error(fields, 'a worker has ended');
      }
      this.#ended(child, { isReady, exitCode }, endedEarly);
    });
  }

  #ended(
    child: ChildProcess,
    end: { readonly isReady: boolean; readonly exitCode: number | null },
    endedEarly: (exitCode: number | null) => void,
  ): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#httpAddress = null;
    this.#plan.changed();
    if (!end.isReady) endedEarly(end.exitCode);
    if (this.#stopping || (!end.isReady && this.#restarts === 0)) return;
    if (performance.now() - this.#startedMs > STEADY_MS) this.#backoff.reset();
    this.#startAgain();
  }

  #startAgain(): void {
    const pauseMs = this.#backoff.nextMs();
    this.#restarts += 1;
    const fields = { worker: this.#number, pauseMs: Math.round(pauseMs), restarts: this.#restarts };
    this.#plan.logger.sink.warn(fields, 'the worker is started again');
    this.#timer = setTimeout(() => {
      this.#spawn(nothing, nothing);
    }, pauseMs);
  }
}

function nothing(): void {}
