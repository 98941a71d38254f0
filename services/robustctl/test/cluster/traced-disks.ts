/** The disks of a test cluster: what has not been flushed can be taken from all of them at once. */
import { join } from 'node:path';
import { buildDiskTrace, TracedDisk, tracedBy } from '@robustmq/campaign';
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
  readonly #disks: readonly TracedDisk[];

  constructor({ folder, roles, seed }: TracedDisksOptions) {
    this.#folder = folder;
    this.#library = buildDiskTrace(folder);
    this.#disks = roles.flatMap((role, index) =>
      NODES.map((nodeId) => {
        const random = new SeededRandom(seed * 7 + index * NODES.length + nodeId);
        return new TracedDisk({ ...this.#placeOf(role, nodeId), random, mayBeUnused: true });
      }),
    );
  }

  /** Writes that were under way in all cuts. */
  get writes(): number {
    return this.#disks.reduce((sum, disk) => sum + disk.writes, 0);
  }

  /** With it a process is traced. */
  environmentOf(role: Role, nodeId: number): Readonly<Record<string, string>> {
    return tracedBy(this.#library, this.#placeOf(role, nodeId));
  }

  /** Leaves on every disk what a loss of power would. All processes are dead. */
  cut(): void {
    for (const disk of this.#disks) disk.cut();
  }

  #placeOf(role: Role, nodeId: number): { readonly directory: string; readonly trace: string } {
    const trace = join(this.#folder, `${role}-${nodeId}.trace`);
    return { directory: dataOf(this.#folder, role, nodeId), trace };
  }
}
