import { statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { MachineFacts } from '@robustmq/mqtt-broker';

/** Measures memory and the disk of the data directory, or of its nearest parent that exists. */
export function machineFacts(dataDirectory: string): MachineFacts {
  // 0 and absurdly large numbers mean that no container limits the process.
  const constrained = process.constrainedMemory();
  const memoryBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return { memoryBytes, diskBytes: diskBytesOf(resolve(dataDirectory)) };
}

function diskBytesOf(directory: string): number {
  try {
    const disk = statfsSync(directory);
    return disk.blocks * disk.bsize;
  } catch (error) {
    const parent = dirname(directory);
    if (parent === directory) throw error;
    return diskBytesOf(parent);
  }
}
