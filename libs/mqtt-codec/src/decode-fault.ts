/** Why bytes are no legal packet. */
export interface DecodeFault {
  /** What to answer (MQTT-5.0 §2.4, §4.13); in 3.x the answer is to close the connection. */
  readonly reasonCode: number;
  /** What was wrong, with the values, for logs and reason strings; its wording is no contract. */
  readonly reason: string;
  /** The clause that forbids it, with the version: `MQTT-5.0 [MQTT-3.1.2-3]`. */
  readonly clause: string;
}

/** What the decoder holds a sender to. */
export interface DecodeLimits {
  /** Who sent the packet: some packets and properties are legal in one direction only. */
  readonly direction: 'fromClient' | 'fromServer';
  /** LIMIT: userPropertiesMax, in one property list; beyond it 0x97, quota exceeded. */
  readonly userPropertiesMax: number;
  /** LIMIT: clientIdBytesMax, UTF-8 bytes; beyond it 0x85, client identifier not valid. */
  readonly clientIdBytesMax: number;
}

/** Limits for a server that has no others in mind: nothing but what the standard demands of memory. */
export const DECODE_FROM_CLIENT: DecodeLimits = Object.freeze({
  direction: 'fromClient',
  userPropertiesMax: 1024,
  clientIdBytesMax: 65_535,
});

/** Limits for a client. */
export const DECODE_FROM_SERVER: DecodeLimits = Object.freeze({
  direction: 'fromServer',
  userPropertiesMax: 1024,
  clientIdBytesMax: 65_535,
});
