/**
 * Makes a log field safe to write: secrets out, client-supplied text bounded.
 *
 * Keys are compared without case, `_` and `-`, at any depth. Values are copied, never changed.
 */
const secretKeys: ReadonlySet<string> = new Set([
  'password',
  'passphrase',
  'authenticationdata',
  'authdata',
  'authorization',
  'cookie',
  'credentials',
  'secret',
  'jwtsecret',
  'clientsecret',
  'token',
  'accesstoken',
  'refreshtoken',
  'apikey',
  'privatekey',
  'payload',
]);

export const REDACTED = '[redacted]';

const TEXT_LENGTH_MAX = 512; // LIMIT: log-field-length
const DEPTH_MAX = 5;
const ENTRIES_MAX = 64;
const STACK_LENGTH_MAX = 2_048;

/** A copy of `fields` without secrets, long texts cut, bytes replaced by their number. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(
  object: Readonly<Record<string, unknown>>,
  depth: number,
): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  let entries = 0;
  for (const [key, value] of Object.entries(object)) {
    entries += 1;
    if (entries > ENTRIES_MAX) {
      copy['truncated'] = true;
      break;
    }
    const isSecret = secretKeys.has(key.toLowerCase().replaceAll(/[_-]/g, ''));
    copy[key] = isSecret ? REDACTED : redactValue(value, depth + 1);
  }
  return copy;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value, TEXT_LENGTH_MAX);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, depth);
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (depth >= DEPTH_MAX) return '[deeper]';
  if (Array.isArray(value)) {
    return value.slice(0, ENTRIES_MAX).map((item) => redactValue(item, depth + 1));
  }
  return redactObject(value as Record<string, unknown>, depth);
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const described: Record<string, unknown> = {
    type: error.name,
    message: cut(error.message, TEXT_LENGTH_MAX),
    stack: cut(error.stack ?? '', STACK_LENGTH_MAX),
  };
  if ('code' in error) described['code'] = redactValue(error.code, depth + 1);
  if ('fault' in error) described['fault'] = redactValue(error.fault, depth + 1);
  if (error.cause !== undefined && depth < DEPTH_MAX) {
    described['cause'] = redactValue(error.cause, depth + 1);
  }
  return described;
}

function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax)}… (${text.length} characters)`;
}
