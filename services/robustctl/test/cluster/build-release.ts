/** Makes the release of an earlier commit, to run beside the present one. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const OWN_PACKAGES = '@robustmq';
const run = promisify(execFile);

/**
 * @param commit  anything that git knows as one
 * @param folder  does not exist; the caller removes it
 * @returns the unpacked release, as `make release` packs it
 */
export async function buildRelease(commit: string, folder: string): Promise<string> {
  const sources = join(folder, 'sources');
  mkdirSync(sources, { recursive: true });
  const archive = join(folder, 'sources.tar');
  await run('git', ['-C', ROOT, 'archive', '--output', archive, commit]);
  await run('tar', ['-xf', archive, '-C', sources]);
  linkPackages(sources);
  const words = [join(sources, 'scripts/release.ts'), '--into', folder];
  await run(process.execPath, words, { cwd: sources });
  const { version } = JSON.parse(readFileSync(join(sources, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return join(folder, 'build', `robustmq-${version}-linux-x64`);
}

/** The packages of others are those installed here; the project's own are those of the commit. */
function linkPackages(sources: string): void {
  const here = join(ROOT, 'node_modules');
  const there = join(sources, 'node_modules');
  mkdirSync(join(there, OWN_PACKAGES), { recursive: true });
  for (const name of readdirSync(here)) {
    if (name !== OWN_PACKAGES) symlinkSync(join(here, name), join(there, name));
  }
  for (const name of readdirSync(join(here, OWN_PACKAGES))) {
    const target = readlinkSync(join(here, OWN_PACKAGES, name));
    symlinkSync(target, join(there, OWN_PACKAGES, name));
  }
}
