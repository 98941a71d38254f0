/** What the figures were measured on. */

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { medianOf } from './judgement.ts';

/** Name and value, in the order in which they are printed. */
export type MachineFacts = readonly (readonly [name: string, text: string])[];

const SYNCS = 64;

/** `data` is the folder of the durable runs; it must exist. */
export function machineFacts(root: string, data: string): MachineFacts {
  return [
    ['Processor', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`],
    ['Memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['Kernel', `Linux ${release()}`],
    ['Disk', `${fileSystemOf(data)}, fdatasync of 4 KiB: ${syncText(data)}`],
    ['RobustMQ', commitOf(root)],
    ['Node.js', process.versions.node],
    ['Mosquitto', mosquittoVersion()],
    ['Load average before', loadBefore().toFixed(2)],
  ];
}

/** Processes that wanted to run in the last minute: above a half, other work disturbs the figures. */
export function loadBefore(): number {
  return loadavg()[0] ?? 0;
}

/** Debian's prints its version as the first line of its help. */
function mosquittoVersion(): string {
  const { stdout } = spawnSync('mosquitto', ['-h'], { encoding: 'utf8' });
  return /version (\S+)/.exec(stdout)?.[1] ?? 'unknown version';
}

function commitOf(root: string): string {
  const git = (...words: readonly string[]): string =>
    execFileSync('git', ['-C', root, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    const changes = git('status', '--porcelain', '--untracked-files=no', '--', 'libs', 'services');
    return `commit ${commit}${changes === '' ? '' : ' with uncommitted changes'}`;
  } catch {
    return 'an unpacked release';
  }
}

function fileSystemOf(folder: string): string {
  const { stdout } = spawnSync('df', ['--output=fstype', folder], { encoding: 'utf8' });
  return stdout?.trim().split('\n').at(-1) ?? 'unknown';
}

function syncText(folder: string): string {
  const path = join(folder, 'sync-probe');
  const file = openSync(path, 'w');
  const block = new Uint8Array(4096);
  const micros: number[] = [];
  for (let index = 0; index < SYNCS; index += 1) {
    const startedAt = process.hrtime.bigint();
    writeSync(file, block);
    fdatasyncSync(file);
    micros.push(Number(process.hrtime.bigint() - startedAt) / 1000);
  }
  closeSync(file);
  rmSync(path);
  return `${((medianOf(micros) ?? 0) / 1000).toFixed(2)} ms`;
}
