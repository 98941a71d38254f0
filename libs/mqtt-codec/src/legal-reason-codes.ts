/** Which reason codes each packet may carry, as data, in the order of the standard's tables. */
import type { PropertyOwner } from './property-table.ts';

type Carrier = Exclude<PropertyOwner, 'connect' | 'will' | 'publish' | 'subscribe' | 'unsubscribe'>;

const RECEIPT: readonly number[] = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const RELEASE: readonly number[] = [0x00, 0x92];

const CODES: Readonly<Record<Carrier, readonly number[]>> = {
  // MQTT-5.0 §3.2.2.2
  connack: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97,
    0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
  ],
  puback: RECEIPT, // MQTT-5.0 §3.4.2.1
  pubrec: RECEIPT, // MQTT-5.0 §3.5.2.1
  pubrel: RELEASE, // MQTT-5.0 §3.6.2.1
  pubcomp: RELEASE, // MQTT-5.0 §3.7.2.1
  // MQTT-5.0 §3.9.3
  suback: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  unsuback: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91], // MQTT-5.0 §3.11.3
  // MQTT-5.0 §3.14.2.1, and 0x8c, which §2.4 lists for DISCONNECT.
  disconnect: [
    0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94,
    0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
  auth: [0x00, 0x18, 0x19], // MQTT-5.0 §3.15.2.1
};

const LEGAL: ReadonlyMap<string, ReadonlySet<number>> = new Map(
  Object.entries(CODES).map(([carrier, codes]) => [carrier, new Set(codes)]),
);

/** Whether the packet may carry the reason code, whoever sends it. */
export function isLegalReasonCode(carrier: Carrier, code: number): boolean {
  return LEGAL.get(carrier)?.has(code) === true;
}

/** Codes of DISCONNECT that only a server sends (MQTT-5.0 §3.14.2.1). */
const OF_SERVER_ONLY: ReadonlySet<number> = new Set([
  0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
]);

/**
 * Whether this side may send the code in a DISCONNECT (MQTT-5.0 §3.14.2.1). 0x00 is accepted from a
 * server, too, because an absent code means 0x00 whoever sends it.
 */
export function mayDisconnectWith(direction: 'fromClient' | 'fromServer', code: number): boolean {
  return direction === 'fromClient' ? !OF_SERVER_ONLY.has(code) : code !== 0x04;
}

/** Whether this side may send the code in an AUTH (MQTT-5.0 §3.15.2.1). */
export function mayAuthenticateWith(direction: 'fromClient' | 'fromServer', code: number): boolean {
  return code === 0x18 || code === (direction === 'fromClient' ? 0x19 : 0x00);
}

/** The legal codes of a packet, for tests and generators. */
export function legalReasonCodes(carrier: Carrier): readonly number[] {
  return CODES[carrier];
}
