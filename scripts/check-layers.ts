/**
 * Do dependencies point downwards only?
 *
 *     service → edge → core → word      test packages look anywhere, nothing but tests looks at them
 *
 * Packages of one layer may use each other, without cycles. Services do not use services, except
 * `robustctl`, which starts them. Imports that a package makes but does not declare, and declared
 * packages without a project reference, are findings too: both make a build depend on luck.
 */

import { isBuiltin } from 'node:module';
import { relative } from 'node:path';
import type { Check, Finding } from './finding.ts';
import { moduleImports, packageOf } from './module-imports.ts';
import type { Layer, SourceFile, Workspace, WorkspacePackage } from './workspace.ts';

const HEIGHT: Readonly<Record<Layer, number>> = { word: 0, core: 1, edge: 2, service: 3, test: 4 };
/** The one service that starts the others. */
const STARTER = '@robustmq/robustctl';

export function checkLayers(workspace: Workspace): Check {
  const byName = new Map(workspace.packages.map((each) => [each.name, each]));
  return {
    rule: 'layers',
    reason: 'Cores stay testable and replaceable only while nothing below knows what is above.',
    wayOut:
      'Move the code to the layer that may use it, or pass the value in; declare what you import ' +
      'in package.json and in the references of tsconfig.json.',
    severity: 'error',
    findings: [
      ...workspace.packages.flatMap((each) => manifestFindings(each, byName)),
      ...workspace.packages.flatMap((each) => importFindings(each, byName, workspace)),
      ...cycleFindings(workspace.packages, byName),
    ],
  };
}

type PackagesByName = ReadonlyMap<string, WorkspacePackage>;

function manifestFindings(from: WorkspacePackage, byName: PackagesByName): readonly Finding[] {
  const path = `${from.folder}/package.json`;
  if (from.layer === undefined) {
    return [{ path, line: 0, message: 'robust.layer is missing or unknown' }];
  }
  const findings: Finding[] = [];
  for (const name of from.dependencies) {
    const to = byName.get(name);
    if (to === undefined) continue;
    const reason = forbiddenEdge(from, to);
    if (reason !== undefined) findings.push({ path, line: 0, message: `${name}: ${reason}` });
    if (!from.references.includes(to.folder)) {
      const target = relative(from.folder, to.folder);
      const message = `references lack { "path": "${target}" }`;
      findings.push({ path: `${from.folder}/tsconfig.json`, line: 0, message });
    }
  }
  return findings;
}

function forbiddenEdge(from: WorkspacePackage, to: WorkspacePackage): string | undefined {
  if (from.layer === undefined || to.layer === undefined || from.layer === 'test') return undefined;
  if (to.layer === 'test') return 'only tests may depend on a test package';
  if (from.layer === 'service' && to.layer === 'service' && from.name !== STARTER) {
    return 'a service does not depend on a service';
  }
  if (HEIGHT[to.layer] > HEIGHT[from.layer]) return `${from.layer} must not see ${to.layer}`;
  return undefined;
}

function importFindings(
  from: WorkspacePackage,
  byName: PackagesByName,
  workspace: Workspace,
): readonly Finding[] {
  return from.files.flatMap((file) =>
    moduleImports(file.tokens).flatMap(({ specifier, line }) => {
      const message = importMessage(specifier, { from, file, byName, workspace });
      return message === undefined ? [] : [{ path: file.path, line, message }];
    }),
  );
}

interface ImportContext {
  readonly from: WorkspacePackage;
  readonly file: SourceFile;
  readonly byName: PackagesByName;
  readonly workspace: Workspace;
}

function importMessage(specifier: string, context: ImportContext): string | undefined {
  const { from, file, byName } = context;
  if (specifier.startsWith('.')) return relativeMessage(specifier, from, file);
  if (isBuiltin(specifier)) return undefined; // the purity check decides about those
  const name = packageOf(specifier);
  const to = byName.get(name);
  if (to === undefined) return externalMessage(name, context);
  // Tests outside of `src/` are compiled apart and see a package as others do.
  const inside = !file.path.startsWith(`${from.folder}/test/`);
  if (to === from && inside) return 'imports its own package by name: import the file';
  const path = specifier === name ? '.' : `.${specifier.slice(name.length)}`;
  if (!to.exportedPaths.includes(path)) return `${specifier} reaches past the exports of ${name}`;
  if (file.role === 'test') return undefined;
  if (!from.dependencies.includes(name)) return `${name} is not declared in package.json`;
  return undefined;
}

function relativeMessage(
  specifier: string,
  from: WorkspacePackage,
  file: SourceFile,
): string | undefined {
  const depth = file.path.slice(from.folder.length + 1).split('/').length - 1;
  const ups = specifier.split('/').filter((part) => part === '..').length;
  return ups > depth ? `${specifier} leaves the package: import it by name` : undefined;
}

function externalMessage(name: string, context: ImportContext): string | undefined {
  const { from, file, workspace } = context;
  if (file.role === 'test' || from.layer === 'test') return undefined;
  if (from.layer === 'core' || from.layer === 'word') {
    return `${name}: a ${from.layer} has no third-party dependency`;
  }
  const isDeclared = from.dependencies.includes(name) || workspace.rootDependencies.includes(name);
  return isDeclared ? undefined : `${name} is not declared in package.json`;
}

function cycleFindings(
  packages: readonly WorkspacePackage[],
  byName: PackagesByName,
): readonly Finding[] {
  const done = new Set<string>();
  const findings: Finding[] = [];
  const visit = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) {
      const message = `cycle: ${[...trail.slice(trail.indexOf(name)), name].join(' → ')}`;
      findings.push({ path: `${byName.get(name)?.folder}/package.json`, line: 0, message });
      return;
    }
    if (done.has(name)) return;
    for (const next of byName.get(name)?.dependencies ?? []) {
      if (byName.has(next)) visit(next, [...trail, name]);
    }
    done.add(name);
  };
  for (const each of packages) visit(each.name, []);
  return findings;
}
