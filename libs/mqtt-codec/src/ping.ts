/** PINGREQ and PINGRESP (MQTT-5.0 §3.12, §3.13): a fixed header and nothing else. */
import type { Pingreq, Pingresp } from './packet.ts';

const PINGREQ: Pingreq = Object.freeze({ kind: 'pingreq' });
const PINGRESP: Pingresp = Object.freeze({ kind: 'pingresp' });

/** Decodes PINGREQ. */
export function readPingreq(): Pingreq {
  return PINGREQ;
}

/** Decodes PINGRESP. */
export function readPingresp(): Pingresp {
  return PINGRESP;
}

/** Encodes PINGREQ. */
export function encodePingreq(): Uint8Array {
  return Uint8Array.of(0xc0, 0);
}

/** Encodes PINGRESP. */
export function encodePingresp(): Uint8Array {
  return Uint8Array.of(0xd0, 0);
}
