/**
 * Writes what `libs/rpc` takes from the proto files of the control plane: their descriptor, which
 * makes the bundled program independent of the folder, and the types of their messages.
 *
 * usage: node scripts/generate-rpc.ts
 */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/** The services that proto-loader serves; the others have codecs of their own in `libs/rpc`. */
const SOURCES = [
  { file: 'robustmq/placement/v1/placement_center.proto', output: 'placement-center' },
  { file: 'robustmq/mqtt/v1/mqtt.proto', output: 'mqtt' },
  { file: 'robustmq/engine/v1/engine.proto', output: 'engine' },
  { file: 'robustmq/cluster/v1/cluster.proto', output: 'cluster' },
  { file: 'robustmq/broker/v1/broker.proto', output: 'broker' },
] as const;

const HEAD = '// Made by scripts/generate-rpc.ts from the files in proto/. Do not edit.\n';
const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: 'Uint8Array',
  bool: 'boolean',
  double: 'number',
  float: 'number',
  uint32: 'number',
  uint64: 'number',
};

const root = new URL('..', import.meta.url).pathname;

/** Every generated file: its path below the root, and its content. */
export function generatedRpcFiles(): readonly { readonly path: string; readonly text: string }[] {
  const folder = 'libs/rpc/src/generated';
  const descriptor = { path: `${folder}/descriptor.ts`, text: descriptorModule() };
  const messages = SOURCES.map(({ file, output }) => ({
    path: `${folder}/${output}.ts`,
    text: messagesModule(file),
  }));
  return [descriptor, ...messages].map(({ path, text }) => ({ path, text: formatted(path, text) }));
}

function formatted(path: string, text: string): string {
  const biome = `${root}node_modules/.bin/biome`;
  const options = { cwd: root, input: text, encoding: 'utf8' } as const;
  const run = spawnSync(biome, ['format', `--stdin-file-path=${path}`], options);
  if (run.status !== 0) throw new Error(`biome does not format ${path}: ${run.stderr}`);
  return run.stdout;
}

function load(files: readonly string[]): protobuf.Root {
  const loaded = new protobuf.Root();
  loaded.resolvePath = (_origin, target) => `${root}proto/${target}`;
  loaded.loadSync([...files], { alternateCommentMode: true });
  loaded.resolveAll();
  return loaded;
}

/** One line per message, so that a change of the contract is one line of a diff. */
function descriptorModule(): string {
  const json = load(SOURCES.map(({ file }) => file)).toJSON();
  const lines = print(json as Descriptor).join('\n');
  return `${HEAD}
/** The control plane's proto files as JSON, for proto-loader. */
export const descriptorJson: string = \`
${lines}
\`;
`;
}

interface Descriptor {
  readonly nested?: Readonly<Record<string, Descriptor>>;
}

function print(node: Descriptor): readonly string[] {
  const { nested, ...own } = node;
  if (nested === undefined) return [JSON.stringify(own)];
  const children = Object.entries(nested).map(([name, child], index, all) => {
    const lines = print(child);
    const comma = index < all.length - 1 ? ',' : '';
    return `${JSON.stringify(name)}: ${lines.join('\n')}${comma}`;
  });
  const head = JSON.stringify(own).slice(0, -1);
  return [`${head}${head === '{' ? '' : ','}"nested": {`, ...children, '}}'];
}

function messagesModule(file: string): string {
  const loaded = load([file]);
  const found: protobuf.ReflectionObject[] = [];
  collect(loaded, found);
  const enums = found.filter((each) => each instanceof protobuf.Enum).map(enumType);
  const messages = found.filter((each) => each instanceof protobuf.Type).map(messageType);
  const services = found.filter((each) => each instanceof protobuf.Service).map(serviceType);
  const kinds = new Set(services.flatMap(({ kinds: used }) => used));
  const imports = `import type { ${[...kinds].toSorted().join(', ')} } from '../contract/method.ts';\n`;
  const parts = [...enums, ...messages, ...services.map(({ text }) => text)];
  return `${HEAD}${imports}\n${parts.join('\n')}`;
}

function collect(within: protobuf.NamespaceBase, found: protobuf.ReflectionObject[]): void {
  for (const each of within.nestedArray) {
    if (each instanceof protobuf.Type || each instanceof protobuf.Enum) found.push(each);
    else if (each instanceof protobuf.Service) found.push(each);
    else if (each instanceof protobuf.Namespace) collect(each, found);
  }
}

function enumType(each: protobuf.Enum): string {
  const names = Object.keys(each.values).map((name) => `'${name}'`);
  return `${comment(each, '')}export type ${each.name} = ${names.join(' | ')};\n`;
}

function messageType(type: protobuf.Type): string {
  const fields = type.fieldsArray.map((field) => {
    const name = field.name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    return `${comment(field, '  ')}  readonly ${name}${fieldType(field)};\n`;
  });
  if (fields.length === 0) return `${comment(type, '')}export type ${type.name} = object;\n`;
  return `${comment(type, '')}export interface ${type.name} {\n${fields.join('')}}\n`;
}

function fieldType(field: protobuf.Field): string {
  const resolved = field.resolvedType;
  const single = resolved?.name ?? SCALARS[field.type];
  if (single === undefined) throw new Error(`${field.fullName}: no type for ${field.type}`);
  if (field.repeated) return `: readonly ${single}[]`;
  if (field.partOf !== null) return `?: ${single} | undefined`;
  return resolved instanceof protobuf.Type ? `: ${single} | null` : `: ${single}`;
}

function serviceType(service: protobuf.Service): {
  readonly text: string;
  readonly kinds: readonly string[];
} {
  const methods = service.methodsArray.map((method) => {
    const kind = kindOf(method);
    const name = `${method.name.slice(0, 1).toLowerCase()}${method.name.slice(1)}`;
    const types = `${method.requestType}, ${method.responseType}`;
    return { kind, line: `${comment(method, '  ')}  readonly ${name}: ${kind}<${types}>;\n` };
  });
  const name = `${service.name.replace(/Service$/, '')}Methods`;
  const body = methods.map(({ line }) => line).join('');
  return {
    text: `${comment(service, '')}export interface ${name} {\n${body}}\n`,
    kinds: methods.map(({ kind }) => kind),
  };
}

function kindOf(method: protobuf.Method): string {
  if (method.requestStream === true) return 'DuplexMethod';
  return method.responseStream === true ? 'ServerStreamMethod' : 'UnaryMethod';
}

function comment(of: protobuf.ReflectionObject, indent: string): string {
  const lines = of.comment?.split('\n').map((line) => line.trim()) ?? [];
  if (lines.length === 0) return '';
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

if (import.meta.main) {
  for (const { path, text } of generatedRpcFiles()) writeFileSync(`${root}${path}`, text);
}
