/** Services of the control plane: few calls, plain objects, codecs made from the proto files. */
import { fromJSON, type Options, type PackageDefinition } from '@grpc/proto-loader';
import { assert } from '@robustmq/errors';
import { descriptorJson } from '../generated/descriptor.ts';
import type { AnyMethod, Codec, ServiceContract } from './method.ts';

/** What the generated types say: every field present, 64-bit numbers as numbers, enums as names. */
const OPTIONS: Options = { longs: Number, enums: String, defaults: true };

let loaded: PackageDefinition | null = null;

/** @param name  such as `robustmq.mqtt.v1.MqttService`; `Methods` are the generated ones */
export function reflectedService<Methods>(name: string): ServiceContract<Methods> {
  loaded ??= fromJSON(JSON.parse(descriptorJson) as Parameters<typeof fromJSON>[0], OPTIONS);
  const definition = loaded[name];
  assert(definition !== undefined, `the descriptor has no ${name}`);
  const methods = Object.entries(definition as ReflectedMethods).map(([method, facts]) => [
    `${method.slice(0, 1).toLowerCase()}${method.slice(1)}`,
    methodOf(facts),
  ]);
  return { name, methods: Object.fromEntries(methods) as Methods };
}

type ReflectedMethods = Extract<PackageDefinition[string], Record<string, { path: string }>>;

function methodOf(facts: ReflectedMethods[string]): AnyMethod {
  const request: Codec<never> = {
    encode: facts.requestSerialize,
    decode: (bytes) => facts.requestDeserialize(bufferOf(bytes)) as never,
  };
  const reply: Codec<unknown> = {
    encode: (message) => facts.responseSerialize(message as object),
    decode: (bytes) => facts.responseDeserialize(bufferOf(bytes)),
  };
  const { path } = facts;
  if (facts.requestStream) return { kind: 'duplex', path, request, reply };
  return { kind: facts.responseStream ? 'serverStream' : 'unary', path, request, reply };
}

/** The same bytes as the class that gRPC's libraries want. */
export function bufferOf(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
