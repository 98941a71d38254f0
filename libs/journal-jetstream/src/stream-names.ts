/**
 * How shards are named in NATS: one stream each, `<prefix>-<shard>`, and its subjects below
 * `<prefix>.<shard>`. NATS names take no spaces, dots, wildcards and path separators, so every byte but
 * letters, digits and `-` is written as `_` and two hexadecimal digits.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface StreamNames {
  readonly stream: string;
  /** A part of a batch. */
  readonly batch: string;
  /** A part of the index of a sealed segment. */
  readonly index: string;
  /** Ends a segment. */
  readonly seal: string;
  /** The beginning of a writer's term. */
  readonly claim: string;
  readonly all: string;
}

export function streamNamesOf(prefix: string, shard: string): StreamNames {
  const name = encodeName(shard);
  const root = `${prefix}.${name}`;
  return {
    stream: `${prefix}-${name}`,
    batch: `${root}.batch`,
    index: `${root}.index`,
    seal: `${root}.seal`,
    claim: `${root}.claim`,
    all: `${root}.*`,
  };
}

/** Null for a stream that is not one of ours. */
export function shardOf(prefix: string, stream: string): string | null {
  if (!stream.startsWith(`${prefix}-`)) return null;
  const name = stream.slice(prefix.length + 1);
  if (!/^(?:[A-Za-z0-9-]|_[0-9a-f]{2})+$/.test(name)) return null;
  const bytes = [...name.matchAll(/_([0-9a-f]{2})|(.)/g)].map(([, hex, plain]) =>
    hex === undefined ? (plain as string).charCodeAt(0) : Number.parseInt(hex, 16),
  );
  return decoder.decode(Uint8Array.from(bytes));
}

function encodeName(shard: string): string {
  return Array.from(encoder.encode(shard), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}
