/** CONNECT (MQTT-5.0 §3.1): the only packet that says which version it is in. */
import type { Frame } from './hot-path.ts';
import type { Connect, ProtocolVersion, Qos, Will } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { readProperties } from './property-reader.ts';
import { ReasonCode } from './reason-code.ts';
import { checkTopicName } from './topic-name.ts';

const CONNECT_HEADER = 0x10;

/** Bits of the connect flags (MQTT-5.0 §3.1.2.3). */
const ConnectFlag = {
  reserved: 0x01,
  cleanStart: 0x02,
  will: 0x04,
  willRetain: 0x20,
  password: 0x40,
  username: 0x80,
} as const;
const WILL_QOS_SHIFT = 3;

/**
 * Decodes CONNECT and sets the reader's version. The password and the will's payload are copies.
 * An empty client identifier is legal here, whatever the version: the session layer judges it.
 */
export function readConnect(reader: PacketReader): Connect {
  readVersion(reader);
  const version = reader.version;
  const flags = reader.byte('the connect flags');
  if (reader.fault === null) checkFlags(reader, flags);
  const keepAliveSeconds = reader.uint16('the keep alive');
  const properties = readProperties(reader, 'connect');
  const clientId = readClientId(reader);
  const will = (flags & ConnectFlag.will) === 0 ? null : readWill(reader, flags);
  const username = hasField(reader, flags, ConnectFlag.username)
    ? reader.text('the user name')
    : null;
  const password = hasField(reader, flags, ConnectFlag.password)
    ? reader.binary('the password')
    : null;
  return {
    kind: 'connect',
    version,
    cleanStart: (flags & ConnectFlag.cleanStart) !== 0,
    keepAliveSeconds,
    clientId,
    will,
    username,
    password,
    properties,
  };
}

/** Protocol name and level (MQTT-5.0 §3.1.2.1, §3.1.2.2); sets `reader.version`. */
function readVersion(reader: PacketReader): void {
  // Until the level is known, faults are judged by 5.0.
  reader.version = 5;
  const name = reader.text('the protocol name');
  const level = reader.byte('the protocol level');
  if (reader.fault !== null) return;
  const version = versionOf(name, level);
  if (version !== 0) {
    reader.version = version;
  } else if (name !== 'MQTT' && name !== 'MQIsdp') {
    const reason = `the protocol name is ${JSON.stringify(name.slice(0, 32))}, not "MQTT"`;
    const clauses = ['[MQTT-3.1.2-1]', '[MQTT-3.1.2-1]'] as const;
    reader.reject(ReasonCode.unsupportedProtocolVersion, reason, clauses);
  } else {
    const reason = `protocol ${name} level ${level} is not supported`;
    const clauses = ['[MQTT-3.1.2-2]', '[MQTT-3.1.2-2]'] as const;
    reader.reject(ReasonCode.unsupportedProtocolVersion, reason, clauses);
  }
}

function versionOf(name: string, level: number): ProtocolVersion | 0 {
  if (name === 'MQTT' && (level === 4 || level === 5)) return level;
  return name === 'MQIsdp' && level === 3 ? 3 : 0; // MQTT-3.1 §3.1
}

function checkFlags(reader: PacketReader, flags: number): void {
  const hex = `0x${flags.toString(16).padStart(2, '0')}`;
  if ((flags & ConnectFlag.reserved) !== 0) {
    const reason = `the reserved bit of the connect flags ${hex} is set`;
    return reader.malformed(reason, ['[MQTT-3.1.2-3]', '[MQTT-3.1.2-3]']);
  }
  const willQos = (flags >> WILL_QOS_SHIFT) & 3;
  if ((flags & ConnectFlag.will) === 0 && willQos !== 0) {
    const reason = `will QoS ${willQos} without will in the connect flags ${hex}`;
    return reader.malformed(reason, ['[MQTT-3.1.2-11]', '[MQTT-3.1.2-13]']);
  }
  if ((flags & (ConnectFlag.will | ConnectFlag.willRetain)) === ConnectFlag.willRetain) {
    const reason = `will retain without will in the connect flags ${hex}`;
    return reader.malformed(reason, ['[MQTT-3.1.2-13]', '[MQTT-3.1.2-15]']);
  }
  if (willQos === 3) {
    return reader.malformed('the will QoS is 3', ['[MQTT-3.1.2-12]', '[MQTT-3.1.2-14]']);
  }
  const hasPasswordOnly = (flags & (ConnectFlag.username | ConnectFlag.password)) === 0x40;
  if (hasPasswordOnly && reader.version !== 5) {
    // 5.0 allows a password without a user name (MQTT-5.0 §3.1.2.9).
    reader.malformed('a password without a user name', ['', '[MQTT-3.1.2-22]']);
  }
}

function readClientId(reader: PacketReader): string {
  const before = reader.remaining;
  const clientId = reader.text('the client identifier');
  const size = before - reader.remaining - 2;
  const max = reader.limits.clientIdBytesMax;
  if (reader.fault === null && size > max) {
    const reason = `a client identifier of ${size} bytes exceeds ${max}`;
    const clauses = ['§3.1.3.1', '[MQTT-3.1.3-9]'] as const;
    reader.reject(ReasonCode.clientIdentifierNotValid, reason, clauses);
  }
  return clientId;
}

function readWill(reader: PacketReader, flags: number): Will {
  const properties = readProperties(reader, 'will');
  const topic = reader.text('the will topic');
  checkTopicName(reader, topic, 'the will topic');
  return {
    topic,
    payload: reader.binary('the will payload'),
    qos: ((flags >> WILL_QOS_SHIFT) & 3) as Qos,
    retain: (flags & ConnectFlag.willRetain) !== 0,
    properties,
  };
}

/** Whether the user name or the password is there. */
function hasField(reader: PacketReader, flags: number, flag: number): boolean {
  if ((flags & flag) === 0) return false;
  // MQTT-3.1 §3.1: in 3.1 the length of the packet prevails over the flag, for older clients.
  return reader.version !== 3 || reader.remaining > 0;
}

/**
 * The version that the CONNECT in `frame` names, or 0 when it names none that is supported: what to
 * encode the refusal of a faulty CONNECT in. Never throws.
 */
export function connectVersionOf(bytes: Uint8Array, frame: Frame): ProtocolVersion | 0 {
  const start = frame.bodyStart;
  const nameLength = frame.bodyEnd - start < 2 ? 0 : (bytes[start + 1] as number);
  const levelAt = start + 2 + nameLength;
  if (bytes[start] !== 0 || levelAt >= frame.bodyEnd) return 0;
  let name = '';
  for (let at = start + 2; at < levelAt; at += 1) name += String.fromCharCode(bytes[at] as number);
  return versionOf(name, bytes[levelAt] as number);
}

/** Encodes CONNECT in the version it names. */
export function encodeConnect(packet: Connect): Uint8Array {
  const writer = new PacketWriter(packet.version);
  writer.text(packet.version === 3 ? 'MQIsdp' : 'MQTT');
  writer.byte(packet.version);
  writer.byte(flagsOf(packet));
  writer.uint16(packet.keepAliveSeconds);
  writer.properties(packet.properties, 'connect');
  writer.text(packet.clientId);
  if (packet.will !== null) {
    writer.properties(packet.will.properties, 'will');
    writer.text(packet.will.topic);
    writer.binary(packet.will.payload);
  }
  if (packet.username !== null) writer.text(packet.username);
  if (packet.password !== null) writer.binary(packet.password);
  return writer.packet(CONNECT_HEADER);
}

function flagsOf(packet: Connect): number {
  let flags = packet.cleanStart ? ConnectFlag.cleanStart : 0;
  if (packet.will !== null) {
    flags |= ConnectFlag.will | (packet.will.qos << WILL_QOS_SHIFT);
    if (packet.will.retain) flags |= ConnectFlag.willRetain;
  }
  if (packet.username !== null) flags |= ConnectFlag.username;
  if (packet.password !== null) flags |= ConnectFlag.password;
  return flags;
}
