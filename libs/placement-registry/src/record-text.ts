/** Records as bytes: JSON with a version, so that `etcdctl` and a debugger can show them. */

import { RegistryError } from './registry-error.ts';
import { type RecordShape, RecordShapeError } from './record-shape.ts';

/** The version that every record carries as `v`. */
const RECORD_VERSION = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** `{"v":1,…}` in UTF-8. */
export function encodeRecord<Value>(shape: RecordShape<Value>, value: Value): Uint8Array {
  const written = shape.write(value) as object;
  return encoder.encode(JSON.stringify({ v: RECORD_VERSION, ...written }));
}

/** @throws REGISTRY_RECORD_UNREADABLE */
export function decodeRecord<Value>(
  shape: RecordShape<Value>,
  from: { readonly key: string; readonly value: Uint8Array },
): Value {
  try {
    const json = parsed(from.value);
    const version = (json as { readonly v?: unknown } | null)?.v;
    if (version !== RECORD_VERSION) {
      throw new RecordShapeError(`its version is ${String(version)}, not ${RECORD_VERSION}`);
    }
    return shape.read(json, 'record');
  } catch (error) {
    if (!(error instanceof RecordShapeError)) throw error;
    const { key } = from;
    throw new RegistryError({ code: 'REGISTRY_RECORD_UNREADABLE', key, detail: error.message });
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    // The parser's own words would quote the value, which may be a secret.
    throw new RecordShapeError('it is no JSON');
  }
}
