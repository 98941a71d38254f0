/** The packages of this repository and their source files, read once for all checks. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Token, tokenize } from './source-tokens.ts';

export type Layer = 'word' | 'core' | 'edge' | 'service' | 'test';

/** `test` files may use anything: they are never shipped. */
export type FileRole = 'source' | 'test';

export interface SourceFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly role: FileRole;
  readonly text: string;
  readonly tokens: readonly Token[];
}

export interface WorkspacePackage {
  readonly name: string;
  /** Relative to the repository, such as `libs/raft`. */
  readonly folder: string;
  /** `undefined` when package.json does not declare a known layer. */
  readonly layer: Layer | undefined;
  readonly exportedPaths: readonly string[];
  /** Names in `dependencies`, `peerDependencies` and `optionalDependencies`. */
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  /** Folders, relative to the repository, that tsconfig.json refers to. */
  readonly references: readonly string[];
  readonly files: readonly SourceFile[];
}

export interface Workspace {
  readonly root: string;
  readonly packages: readonly WorkspacePackage[];
  /** Third-party packages that the root package.json offers to all. */
  readonly rootDependencies: readonly string[];
  readonly scripts: readonly SourceFile[];
}

interface Manifest {
  readonly name?: string;
  readonly robust?: { readonly layer?: string };
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const SKIPPED_FOLDERS = new Set([
  'node_modules',
  'dist',
  'build',
  'release',
  'coverage',
  'testdata',
]);
const LAYERS: readonly Layer[] = ['word', 'core', 'edge', 'service', 'test'];

/** Reads every package under `libs/` and `services/`, and the scripts. */
export function readWorkspace(root: string): Workspace {
  const folders = ['libs', 'services'].flatMap((group) => packageFolders(root, group));
  const manifest = readManifest(join(root, 'package.json'));
  return {
    root,
    packages: folders.map((folder) => readPackage(root, folder)),
    rootDependencies: namesOf(manifest, 'dependencies', 'devDependencies', 'optionalDependencies'),
    scripts: sourcePaths(join(root, 'scripts')).map((path) => readSource(root, path)),
  };
}

/** Every source file of the workspace, the scripts included. */
export function allFiles(workspace: Workspace): readonly SourceFile[] {
  return [...workspace.packages.flatMap((each) => each.files), ...workspace.scripts];
}

/** Makes a file from text: for the checks' own tests. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, role: roleOf(path), text, tokens: tokenize(text) };
}

/** A file is a test by its name or by the folder `test/` or `testing/` it lies in. */
export function roleOf(path: string): FileRole {
  const isTest =
    /\.(test|bench|fuzz|suite|arbitrary|fixture)\.ts$/.test(path) ||
    /(^|\/)test(ing)?\//.test(path);
  return isTest ? 'test' : 'source';
}

function packageFolders(root: string, group: string): readonly string[] {
  if (!existsSync(join(root, group))) return [];
  return readdirSync(join(root, group))
    .map((name) => `${group}/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .toSorted();
}

function readPackage(root: string, folder: string): WorkspacePackage {
  const manifest = readManifest(join(root, folder, 'package.json'));
  const layer = LAYERS.find((each) => each === manifest.robust?.layer);
  return {
    name: manifest.name ?? folder,
    folder,
    layer,
    exportedPaths: Object.keys(manifest.exports ?? {}),
    dependencies: namesOf(manifest, 'dependencies', 'peerDependencies', 'optionalDependencies'),
    devDependencies: namesOf(manifest, 'devDependencies'),
    references: readReferences(root, folder),
    files: sourcePaths(join(root, folder)).map((path) => readSource(root, path)),
  };
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

function namesOf(
  manifest: Manifest,
  ...sections: readonly (
    | 'dependencies'
    | 'devDependencies'
    | 'peerDependencies'
    | 'optionalDependencies'
  )[]
): readonly string[] {
  return sections.flatMap((section) => Object.keys(manifest[section] ?? {}));
}

function readReferences(root: string, folder: string): readonly string[] {
  const path = join(root, folder, 'tsconfig.json');
  if (!existsSync(path)) return [];
  const options = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly references?: readonly { readonly path: string }[];
  };
  return (options.references ?? []).map((each) => join(folder, each.path));
}

function sourcePaths(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : sourcePaths(path);
      return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
    });
}

function readSource(root: string, path: string): SourceFile {
  return sourceFile(relative(root, path), readFileSync(path, 'utf8'));
}
