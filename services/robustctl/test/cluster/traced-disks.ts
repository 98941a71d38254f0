/** The disks of a test cluster: what has not been flushed can be taken from all of them at once. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildDiskTrace, DiskState, readDiskTrace } from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import { dataOf, NODES, type Role } from './test-cluster.ts';

export interface TracedDisksOptions {
  /** Of the cluster. */
  readonly folder: string;
  readonly roles: readonly Role[];
  readonly seed: number;
}

/** One disk per process. Needs `whyNoDiskTrace() === null`. */
export class TracedDisks {
  readonly #folder: string;
  readonly #library: string;
  readonly #disks: readonly ProcessDisk[];

  constructor({ folder, roles, seed }: TracedDisksOptions) {
    this.#folder = folder;
    this.#library = buildDiskTrace(folder);
    this.#disks = roles.flatMap((role, index) =>
      NODES.map((nodeId) => {
        const random = new SeededRandom(seed * 7 + index * NODES.length + nodeId);
        return new ProcessDisk(dataOf(folder, role, nodeId), this.#traceOf(role, nodeId), random);
      }),
    );
  }

  /** Writes that were under way in all cuts. */
  get writes(): number {
    return this.#disks.reduce((sum, disk) => sum + disk.writes, 0);
  }

  /** With it a process is traced. */
  environmentOf(role: Role, nodeId: number): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      DISK_TRACE_DIRECTORY: dataOf(this.#folder, role, nodeId),
      DISK_TRACE_FILE: this.#traceOf(role, nodeId),
      UV_USE_IO_URING: '0',
    };
  }

  /** Leaves on every disk what a loss of power would. All processes are dead. */
  cut(): void {
    for (const disk of this.#disks) disk.cut();
  }

  #traceOf(role: Role, nodeId: number): string {
    return join(this.#folder, `${role}-${nodeId}.trace`);
  }
}

class ProcessDisk {
  readonly #data: string;
  readonly #trace: string;
  readonly #random: SeededRandom;
  #state: DiskState;
  writes = 0;

  constructor(data: string, trace: string, random: SeededRandom) {
    this.#data = data;
    this.#trace = trace;
    this.#random = random;
    mkdirSync(data, { recursive: true });
    this.#state = new DiskState(data);
  }

  cut(): void {
    // A process that wrote nothing has no trace.
    if (existsSync(this.#trace)) {
      this.writes += this.#state.cut(readDiskTrace(this.#trace), this.#random).writesUnderWay;
    }
    rmSync(this.#trace, { force: true });
    this.#state = new DiskState(this.#data);
  }
}
