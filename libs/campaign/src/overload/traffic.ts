/** Traffic from another process, so that it disturbs neither the measurement nor the descriptors. */
import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newCounters, type TrafficJob, type TrafficReport } from './traffic-job.ts';

const PROGRAM = fileURLToPath(new URL('../../src/overload/traffic-main.ts', import.meta.url));
const POLL_MS = 20;

export class Traffic {
  readonly #child: ChildProcess;
  #report: TrafficReport = newCounters();
  #reports = 0;
  #hasEnded = false;

  constructor(job: TrafficJob) {
    this.#child = fork(PROGRAM, [], { execArgv: ['--conditions=source'], stdio: 'inherit' });
    this.#child.on('message', (report) => {
      this.#report = report as TrafficReport;
      this.#reports += 1;
    });
    this.#child.once('exit', () => {
      this.#hasEnded = true;
    });
    this.#child.send(job);
  }

  /** The counters as they are now. */
  async report(): Promise<TrafficReport> {
    if (this.#report.done || this.#hasEnded) return this.#report;
    const before = this.#reports;
    this.#child.send('report');
    while (this.#reports === before && !this.#hasEnded) await delay(POLL_MS);
    return this.#report;
  }

  /** Waits until this many connections are accepted. */
  async ready(connections: number): Promise<void> {
    while (!this.#hasEnded && (await this.report()).ready < connections) await delay(POLL_MS);
    if (this.#hasEnded) throw new Error('the traffic ended before it began');
  }

  /** Waits for the end of the job, or for the deadline. */
  async done(limitMs: number): Promise<TrafficReport> {
    const deadlineMs = performance.now() + limitMs;
    while (!this.#report.done && !this.#hasEnded && performance.now() < deadlineMs) {
      await delay(POLL_MS);
    }
    return this.report();
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.send('end', () => undefined);
    await exited;
  }
}
