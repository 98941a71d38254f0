/**
 * The PROXY protocol header, versions 1 and 2: who is behind the load balancer.
 *
 * Source: "The PROXY protocol, Versions 1 & 2" (HAProxy, doc/proxy-protocol.txt, 2020/03/05), cited
 * as PROXY. Strict: a byte that no valid header has at its place is refused as soon as it is seen, so
 * that a client that talks to the port directly is not kept waiting for the time-out.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { PeerAddress } from './peer-address.ts';

/** The longest version 1 line, CR LF included (PROXY §2.1). */
export const V1_BYTES_MAX = 107;
/** LIMIT: a version 2 header's addresses and TLVs together; more is refused. */
export const V2_PAYLOAD_BYTES_MAX = 4096;
const V2_FIXED_BYTES = 16;
export const PROXY_HEADER_BYTES_MAX: number = V2_FIXED_BYTES + V2_PAYLOAD_BYTES_MAX;

export type ProxyHeaderResult =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** `source` is null when the header names none: the socket's own address stands. */
  | { readonly kind: 'complete'; readonly byteLength: number; readonly source: PeerAddress | null };

const INCOMPLETE: ProxyHeaderResult = { kind: 'incomplete' };

const V1_PREFIX = Uint8Array.of(0x50, 0x52, 0x4f, 0x58, 0x59, 0x20); // "PROXY "
const V2_SIGNATURE = Uint8Array.of(
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
);

/** Looks for a header at the start of `bytes`. Never throws, never reads past a header's end. */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeaderResult {
  if (bytes.length === 0) return INCOMPLETE;
  if (startsLike(bytes, V2_SIGNATURE)) return parseV2(bytes);
  if (startsLike(bytes, V1_PREFIX)) return parseV1(bytes);
  return malformed('the first bytes are not a PROXY header');
}

/** True while `bytes` does not contradict `prefix`, however short it is. */
function startsLike(bytes: Uint8Array, prefix: Uint8Array): boolean {
  const count = Math.min(bytes.length, prefix.length);
  for (let index = 0; index < count; index += 1) {
    if (bytes[index] !== prefix[index]) return false;
  }
  return true;
}

// Version 1: PROXY §2.1, one line of ASCII.

function parseV1(bytes: Uint8Array): ProxyHeaderResult {
  const end = v1LineEnd(bytes);
  if (end === 'incomplete') return INCOMPLETE;
  if (end === 'malformed') return malformed('the PROXY line has no CR LF within 107 bytes');
  const line = String.fromCharCode(...bytes.subarray(0, end));
  const byteLength = end + 2;
  // PROXY §2.1: the receiver ignores anything after UNKNOWN.
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) {
    return { kind: 'complete', byteLength, source: null };
  }
  const source = v1Source(line.split(' '));
  if (source === null) return malformed('the PROXY line is not as version 1 prescribes');
  return { kind: 'complete', byteLength, source };
}

function v1LineEnd(bytes: Uint8Array): number | 'incomplete' | 'malformed' {
  const limit = Math.min(bytes.length, V1_BYTES_MAX);
  for (let index = V1_PREFIX.length; index < limit; index += 1) {
    const byte = bytes[index] as number;
    if (byte === 0x0d) {
      if (index + 1 >= V1_BYTES_MAX) return 'malformed';
      if (index + 1 >= bytes.length) return 'incomplete';
      return bytes[index + 1] === 0x0a ? index : 'malformed';
    }
    if (byte < 0x20 || byte > 0x7e) return 'malformed';
  }
  return bytes.length >= V1_BYTES_MAX ? 'malformed' : 'incomplete';
}

/** `PROXY TCP4|TCP6 source destination sourcePort destinationPort`, single spaces. */
function v1Source(words: readonly string[]): PeerAddress | null {
  const [, protocol, source = '', destination = '', sourcePort = '', destinationPort = ''] = words;
  if (words.length !== 6) return null;
  const isAddress = protocol === 'TCP4' ? isIPv4 : protocol === 'TCP6' ? isBareIPv6 : null;
  if (isAddress === null || !isAddress(source) || !isAddress(destination)) return null;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return null;
  return { address: source.toLowerCase(), port: Number(sourcePort) };
}

function isBareIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** PROXY §2.1: decimal, 0 to 65535, no leading zeros. */
function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

// Version 2: PROXY §2.2, binary.

const COMMAND_LOCAL = 0x20;
const COMMAND_PROXY = 0x21;
/** Bytes of addresses by family, the upper half of byte 14 (PROXY §2.2). */
const ADDRESS_BYTES: readonly number[] = [0, 12, 36, 216];
const FAMILY_INET = 1;
const FAMILY_INET6 = 2;
const TRANSPORT_STREAM = 1;

function parseV2(bytes: Uint8Array): ProxyHeaderResult {
  if (bytes.length > 12) {
    const reason = v2FixedFault(bytes);
    if (reason !== null) return malformed(reason);
  }
  if (bytes.length < V2_FIXED_BYTES) return INCOMPLETE;
  const payloadBytes = ((bytes[14] as number) << 8) | (bytes[15] as number);
  if (payloadBytes > V2_PAYLOAD_BYTES_MAX) {
    return malformed(`a PROXY header of ${payloadBytes} bytes exceeds ${V2_PAYLOAD_BYTES_MAX}`);
  }
  const byteLength = V2_FIXED_BYTES + payloadBytes;
  if (bytes.length < byteLength) return INCOMPLETE;
  // PROXY §2.2: LOCAL is the proxy's own connection, a health check; its addresses are ignored.
  if (bytes[12] === COMMAND_LOCAL) return { kind: 'complete', byteLength, source: null };
  return v2Proxied(bytes.subarray(0, byteLength), (bytes[13] as number) >> 4);
}

/** Checks bytes 12 and 13 as far as they are there. */
function v2FixedFault(bytes: Uint8Array): string | null {
  const command = bytes[12];
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) {
    return 'the PROXY version or command is unknown';
  }
  if (bytes.length < 14 || command === COMMAND_LOCAL) return null;
  const family = (bytes[13] as number) >> 4;
  const transport = (bytes[13] as number) & 0x0f;
  // Of a family that is named, only streams: a datagram cannot have led to this connection.
  const known = family === 0 ? transport <= 2 : family <= 3 && transport === TRANSPORT_STREAM;
  return known ? null : 'the PROXY address family or transport is not a stream';
}

function v2Proxied(header: Uint8Array, family: number): ProxyHeaderResult {
  const addressBytes = ADDRESS_BYTES[family] as number;
  const payloadBytes = header.length - V2_FIXED_BYTES;
  if (payloadBytes < addressBytes)
    return malformed('the PROXY header is too short for its addresses');
  if (family !== 0 && !tlvsFit(header, V2_FIXED_BYTES + addressBytes)) {
    return malformed('the PROXY header ends within a TLV');
  }
  return { kind: 'complete', byteLength: header.length, source: v2Source(header, family) };
}

/** Type, two bytes of length, value, until the end exactly (PROXY §2.2.x). */
function tlvsFit(header: Uint8Array, first: number): boolean {
  let at = first;
  while (at < header.length) {
    if (at + 3 > header.length) return false;
    at += 3 + (((header[at + 1] as number) << 8) | (header[at + 2] as number));
  }
  return at === header.length;
}

function v2Source(header: Uint8Array, family: number): PeerAddress | null {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (family === FAMILY_INET) {
    return { address: header.subarray(16, 20).join('.'), port: view.getUint16(24) };
  }
  if (family === FAMILY_INET6) {
    return { address: formatIPv6(view, 16), port: view.getUint16(48) };
  }
  return null; // unspecified, or a UNIX socket, which has no address to tell
}

/** The canonical text of RFC 5952 §4: lower case, the first longest run of two or more zeros as `::`. */
export function formatIPv6(view: DataView, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(at + index * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const bytes = [12, 13, 14, 15].map((offset) => view.getUint8(at + offset));
    return bytes.join('.'); // IPv4-mapped, as everywhere in this package
  }
  const run = longestZeroRun(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (run.length < 2) return text(0, 8);
  return `${text(0, run.first)}::${text(run.first + run.length, 8)}`;
}

function longestZeroRun(groups: readonly number[]): { first: number; length: number } {
  let longest = { first: 0, length: 0 };
  let first = 0;
  groups.forEach((group, index) => {
    if (group !== 0) first = index + 1;
    else if (index + 1 - first > longest.length) longest = { first, length: index + 1 - first };
  });
  return longest;
}

function malformed(reason: string): ProxyHeaderResult {
  return { kind: 'malformed', reason };
}
