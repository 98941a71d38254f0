/** Writes the body of one packet, then puts the fixed header before it. */
import { assert } from '@robustmq/errors';
import {
  ByteWriter,
  encodeUtf8,
  VARIABLE_BYTE_INTEGER_MAX,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from '@robustmq/bytes';
import type { ProtocolVersion } from './packet.ts';
import type { Properties } from './properties.ts';
import {
  PROPERTY_TABLE,
  type PropertyOwner,
  type PropertyRow,
  isLegalIn,
} from './property-table.ts';

/** Most packets that are not PUBLISH fit, and the engine keeps so small an array in its own heap. */
const INITIAL_BYTES = 64;
const LENGTH_MAX = 65_535;

/** Collects the body of one packet in one version. Used once. */
export class PacketWriter {
  readonly version: ProtocolVersion;
  readonly #body: ByteWriter = new ByteWriter(INITIAL_BYTES);

  constructor(version: ProtocolVersion) {
    this.version = version;
  }

  byte(value: number): void {
    this.#body.byte(value);
  }

  uint16(value: number): void {
    this.#body.uint16(value);
  }

  /** The caller keeps packet identifiers within 1 to 65535 (MQTT-5.0 [MQTT-2.2.1-3]). */
  packetIdentifier(value: number): void {
    assert(value > 0 && value <= LENGTH_MAX, `packet identifier ${value} is outside 1 to 65535`);
    this.#body.uint16(value);
  }

  text(value: string): void {
    this.binary(encodeUtf8(value));
  }

  /** At most 65535 bytes (MQTT-5.0 §1.5.4, §1.5.6): more is a mistake of the caller. */
  binary(value: Uint8Array): void {
    writeBinary(this.#body, value);
  }

  raw(value: Uint8Array): void {
    this.#body.raw(value);
  }

  /** The property length and the properties; nothing before 5.0. */
  properties(properties: Properties, owner: PropertyOwner): void {
    if (this.version !== 5) return;
    const list = encodeProperties(properties, owner);
    this.#body.variableByteInteger(list.length);
    this.#body.raw(list);
  }

  /** The whole packet, in an array of its own. */
  packet(header: number): Uint8Array {
    const body = this.#body.view();
    const length = body.length;
    assert(length <= VARIABLE_BYTE_INTEGER_MAX, `a packet of ${length} bytes is too large`);
    const packet = new Uint8Array(1 + variableByteIntegerSize(length) + length);
    packet[0] = header;
    packet.set(body, writeVariableByteInteger(packet, 1, length));
    return packet;
  }
}

/**
 * The bytes of a property list without the property length, in ascending order of the identifiers;
 * user properties keep their order (MQTT-5.0 [MQTT-3.3.2-18]). A property that is not legal for the
 * owner is a mistake of the programmer.
 */
export function encodeProperties(properties: Properties, owner: PropertyOwner): Uint8Array {
  const list = new ByteWriter(INITIAL_BYTES);
  for (const row of PROPERTY_TABLE) writeProperty(list, row, properties, owner);
  return list.view();
}

function writeBinary(target: ByteWriter, value: Uint8Array): void {
  assert(value.length <= LENGTH_MAX, `${value.length} bytes exceed ${LENGTH_MAX}`);
  target.uint16(value.length);
  target.raw(value);
}

function writeProperty(
  target: ByteWriter,
  row: PropertyRow,
  properties: Properties,
  owner: PropertyOwner,
): void {
  const value = properties[row.name];
  if (value === undefined) return;
  assert(isLegalIn(row, owner), `${row.title} is not legal in ${owner} (MQTT-5.0 §2.2.2.2)`);
  if (row.name === 'userProperties') {
    for (const pair of properties.userProperties ?? []) {
      target.byte(row.identifier);
      for (const text of pair) writeBinary(target, encodeUtf8(text));
    }
  } else if (row.name === 'subscriptionIdentifiers') {
    for (const identifier of properties.subscriptionIdentifiers ?? []) {
      target.byte(row.identifier);
      target.variableByteInteger(identifier);
    }
  } else {
    target.byte(row.identifier);
    writeValue(target, row, value);
  }
}

function writeValue(target: ByteWriter, row: PropertyRow, value: unknown): void {
  if (typeof value === 'string') writeBinary(target, encodeUtf8(value));
  else if (value instanceof Uint8Array) writeBinary(target, value);
  else if (row.type === 'uint16') target.uint16(Number(value));
  else if (row.type === 'uint32') target.uint32(Number(value));
  else target.byte(Number(value)); // `bit` and `boolean`.
}
