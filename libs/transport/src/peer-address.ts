/** Where a connection comes from, as far as we are told. */
export interface PeerAddress {
  /** IPv4 in dotted form or IPv6; empty when unknown. */
  readonly address: string;
  readonly port: number;
}

export const UNKNOWN_PEER: PeerAddress = { address: '', port: 0 };

const MAPPED_PREFIX = '::ffff:';

/** An IPv4 address that reached a dual-stack socket (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2), as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith(MAPPED_PREFIX) && address.includes('.')
    ? address.slice(MAPPED_PREFIX.length)
    : address;
}

/** True for 127.0.0.0/8 (RFC 1122 §3.2.1.3), also IPv4-mapped, and ::1. */
export function isLoopbackAddress(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}
