/**
 * Does package-lock.json name every platform's variant of every tool?
 *
 * Tools with a binary depend on one optional package per platform. npm leaves those out of the lock
 * file that the registry in use does not serve, and `npm ci` then refuses the file everywhere.
 * `node scripts/complete-lockfile.ts` adds them, so that other platforms skip them by name.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from './finding.ts';
import type { Workspace } from './workspace.ts';

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly peer?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];
const LIBRARIES: Readonly<Record<string, string>> = { musl: 'musl', gnu: 'glibc' };

export function checkLockfile(workspace: Workspace): Check {
  const path = 'package-lock.json';
  const lockfile = JSON.parse(readFileSync(join(workspace.root, path), 'utf8')) as Lockfile;
  return {
    rule: 'the lock file names every platform',
    reason: 'npm ci refuses a lock file that lacks an optional package, on every platform.',
    wayOut: 'Run node scripts/complete-lockfile.ts after npm install.',
    severity: 'error',
    findings: Object.keys(missingPlatforms(lockfile)).map((place) => ({
      path,
      line: 0,
      message: `${place.replace('node_modules/', '')} is missing`,
    })),
  };
}

/** What has to be added, by place. Only exact versions: a range is npm's to resolve. */
export function missingPlatforms(lockfile: Lockfile): Readonly<Record<string, LockedPackage>> {
  const missing: Record<string, LockedPackage> = {};
  for (const owner of Object.values(lockfile.packages)) {
    for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
      const place = `node_modules/${name}`;
      if (place in lockfile.packages || !/^\d+\.\d+\.\d+$/.test(version)) continue;
      missing[place] = {
        version,
        ...platformOf(name),
        ...(owner.dev === true ? { dev: true } : {}),
        ...(owner.peer === true ? { peer: true } : {}),
        optional: true,
      };
    }
  }
  return missing;
}

function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const words = (name.split('/').at(-1) ?? '').split('-');
  const os = words.filter((word) => SYSTEMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  const libc = words.flatMap((word) => LIBRARIES[word] ?? []);
  return {
    ...(os.length > 0 ? { os } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(libc.length > 0 ? { libc } : {}),
  };
}
