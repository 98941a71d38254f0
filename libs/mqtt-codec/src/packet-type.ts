/** The control packet types as data (MQTT-5.0 §2.1.2, tables 2-1 and 2-2). */
import type { Packet } from './packet.ts';

/** What the fixed header of one packet type must look like, and who sends it. */
export interface PacketTypeRow {
  readonly kind: Packet['kind'];
  /** The low four bits of the first byte; null for PUBLISH, whose bits mean something. */
  readonly flags: number | null;
  readonly sender: 'client' | 'server' | 'both';
  /** The normative statement about the flags. */
  readonly clauses: readonly [five: string, three: string];
}

const RESERVED_FLAGS = ['[MQTT-2.1.3-1]', '[MQTT-2.2.2-1]'] as const;

/** Indexed by the type, that is, the first byte shifted right by four; type 0 is reserved. */
const PACKET_TYPES: readonly (PacketTypeRow | null)[] = [
  null,
  { kind: 'connect', flags: 0, sender: 'client', clauses: RESERVED_FLAGS },
  { kind: 'connack', flags: 0, sender: 'server', clauses: RESERVED_FLAGS },
  { kind: 'publish', flags: null, sender: 'both', clauses: RESERVED_FLAGS },
  { kind: 'puback', flags: 0, sender: 'both', clauses: RESERVED_FLAGS },
  { kind: 'pubrec', flags: 0, sender: 'both', clauses: RESERVED_FLAGS },
  { kind: 'pubrel', flags: 2, sender: 'both', clauses: ['[MQTT-3.6.1-1]', '[MQTT-3.6.1-1]'] },
  { kind: 'pubcomp', flags: 0, sender: 'both', clauses: RESERVED_FLAGS },
  { kind: 'subscribe', flags: 2, sender: 'client', clauses: ['[MQTT-3.8.1-1]', '[MQTT-3.8.1-1]'] },
  { kind: 'suback', flags: 0, sender: 'server', clauses: RESERVED_FLAGS },
  {
    kind: 'unsubscribe',
    flags: 2,
    sender: 'client',
    clauses: ['[MQTT-3.10.1-1]', '[MQTT-3.10.1-1]'],
  },
  { kind: 'unsuback', flags: 0, sender: 'server', clauses: RESERVED_FLAGS },
  { kind: 'pingreq', flags: 0, sender: 'client', clauses: RESERVED_FLAGS },
  { kind: 'pingresp', flags: 0, sender: 'server', clauses: RESERVED_FLAGS },
  { kind: 'disconnect', flags: 0, sender: 'both', clauses: ['[MQTT-3.14.1-1]', '[MQTT-3.14.1-1]'] },
  { kind: 'auth', flags: 0, sender: 'both', clauses: ['[MQTT-3.15.1-1]', ''] },
];

/** The row of the type in the first byte of a packet, or null for the reserved type 0. */
export function packetTypeOf(header: number): PacketTypeRow | null {
  return PACKET_TYPES[header >> 4] ?? null;
}
