import {
  type AcknowledgementFields,
  type Connect,
  decodeAcknowledgement,
  decodePacket,
  type DecodeLimits,
  encodePacket,
  FrameStatus,
  NO_PROPERTIES,
  type Packet,
  type ProtocolVersion,
  type Properties,
  ReasonCode,
  readFrame,
  writeAcknowledgement,
  writeAcknowledgementWithReason,
} from '@robustmq/mqtt-codec';
import type { ConnectionTerms, InboundAliases, OutboundAliases } from '@robustmq/mqtt-session';
import type { Topic } from '@robustmq/broker';
import { log, logEvents } from '@robustmq/telemetry';
import type { ByteConnection, CloseCause, ConnectionHandler } from '@robustmq/transport';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { AuthenticationState } from './authenticate.ts';
import { connectionLost } from './connection-lost.ts';
import { countAcknowledgement } from './count-acknowledgement.ts';
import { countDisconnect, type DisconnectCause } from './disconnect-cause.ts';
import { logClose } from './log-close.ts';
import { OutputStream } from './output-stream.ts';
import { receiveAcknowledgement } from './receive-acknowledgement.ts';
import { receiveAuth } from './receive-auth.ts';
import { refuseConnect, receiveConnect } from './receive-connect.ts';
import { receiveDisconnect } from './receive-disconnect.ts';
import { receivePublish } from './receive-publish.ts';
import { receiveSubscribe } from './receive-subscribe.ts';
import { receiveUnsubscribe } from './receive-unsubscribe.ts';
import { TERMS_BEFORE_CONNECT } from './terms-before-connect.ts';

/** `suspended`: bytes wait while something asynchronous is decided about this client. */
type Phase = 'awaitingConnect' | 'suspended' | 'connected' | 'closed';

/** Room for any legal CONNECT but the most extravagant: nothing larger is buffered for a stranger. */
const PACKET_BYTES_MAX_BEFORE_CONNECT = 330 * 1024;
const PUBREC = 0x50;
const PUBCOMP = 0x70;
const CLOSE_DEADLINE_MS = 2000;
const PACKETS_PER_SAMPLE = 256;
const NOTHING = Buffer.alloc(0);

/**
 * One client's network connection: cuts the byte stream into packets and hands each to the function
 * of its type. Flat, without closures, timers or maps of its own: tens of thousands of idle ones
 * must fit.
 */
export class ClientConnection implements ConnectionHandler {
  readonly transport: ByteConnection;
  readonly output: OutputStream;
  readonly context: BrokerContext;
  /** Grows from connection to connection of this broker. */
  readonly number: number;
  version: ProtocolVersion = 4;
  session: ClientSession | null = null;
  terms: ConnectionTerms = TERMS_BEFORE_CONNECT;
  phase: Phase = 'awaitingConnect';
  /** A CONNECT came, legal or not: the peer speaks MQTT and understands a CONNACK. */
  greeted = false;
  /** CONNACK said success: before that nothing else may be sent (MQTT-5.0 [MQTT-3.2.0-1]). */
  accepted = false;
  /** Why it ends, when it does. */
  endCause: DisconnectCause = 'lost';
  inboundAliases: InboundAliases<Topic> | null = null;
  outboundAliases: OutboundAliases<Topic> | null = null;
  authentication: AuthenticationState | null = null;
  /** Acknowledgements that wait for the journal: later ones queue behind them, in order. */
  waitingAcknowledgements = 0;
  /** Those of them that are PUBACKs: they count against the Receive Maximum; receipts count themselves. */
  waitingPubacks = 0;
  /** Seconds, on the broker's clock. */
  lastSeenTick: number;
  readonly acceptedTick: number;
  /** The topic this client published to last, known to be allowed under `allowedRevision`. */
  allowedTopic: Topic | null = null;
  allowedRevision = -1;
  /** Token buckets of the rate limits; see rate-limit.ts. */
  publishCredit = 0;
  byteCredit = 0;
  creditTick = 0;
  #paused = false;
  /** Start of a packet whose rest has not arrived. */
  #tail: Buffer = NOTHING;
  #tailLength = 0;

  constructor(context: BrokerContext, transport: ByteConnection) {
    this.context = context;
    this.transport = transport;
    context.connectionsMade += 1;
    this.number = context.connectionsMade;
    this.output = new OutputStream(transport, context, this);
    this.lastSeenTick = context.tick;
    this.acceptedTick = context.tick;
    context.connections.add(this);
  }

  received(buffer: Buffer, start: number, end: number): void {
    if (this.phase === 'closed') return;
    this.lastSeenTick = this.context.tick;
    this.context.counters.bytesReceived += end - start;
    if (this.#tailLength > 0 || this.phase === 'suspended') {
      this.#keep(buffer, start, end);
      if (this.phase !== 'suspended') this.#consumeTail();
      return;
    }
    const at = this.#consume(buffer, start, end);
    if (at < end) this.#keep(buffer, at, end);
  }

  drained(_bytes: Uint8Array): void {
    this.output.drained();
  }

  outputDrained(): void {
    this.session?.pump();
    this.context.relievePublishers();
  }

  closed(cause: CloseCause): void {
    if (this.phase === 'closed') return;
    if (cause.kind === 'failed') {
      log(this.context.logger, logEvents.clientDisconnected, {
        clientId: this.session?.clientId ?? '',
        cause: cause.reason,
        reasonCode: 0,
        connectedSeconds: this.context.tick - this.acceptedTick,
      });
    }
    this.#release();
  }

  /**
   * Goes on in `phase`. After an asynchronous decision reading begins again, and what arrived
   * meanwhile comes first; without one, the loop that brought the packet just goes on.
   */
  resumeAs(phase: 'awaitingConnect' | 'connected'): void {
    if (this.phase === 'closed') return;
    const wasSuspended = this.phase === 'suspended';
    this.phase = phase;
    if (!wasSuspended) return;
    this.#consumeTail();
    if (!this.#isSuspended && !this.#paused) this.transport.resume();
  }

  /** No more packets are taken until `resumeAs`. */
  suspend(): void {
    this.phase = 'suspended';
    this.transport.pause();
  }

  /** Back-pressure: bytes stay in the kernel, and the publisher feels it. */
  pauseReading(): void {
    if (this.#paused || this.phase === 'closed') return;
    this.#paused = true;
    this.context.counters.publisherPauses += 1;
    this.context.pausedPublishers.add(this);
    this.transport.pause();
  }

  resumeReading(): void {
    this.#paused = false;
    if (this.phase === 'connected') this.transport.resume();
  }

  send(packet: Packet): void {
    if (this.phase === 'closed') return;
    const bytes = encodePacket(packet, this.version);
    if (bytes.length <= this.terms.maximumPacketSizeOutbound) this.output.append(bytes);
    else this.#sendShortened(packet);
  }

  /**
   * A packet above the client's maximum goes without reason string and user properties (MQTT-5.0
   * CONNACK [MQTT-3.2.2-19], [MQTT-3.2.2-20]; SUBACK [MQTT-3.9.2-1], [MQTT-3.9.2-2]; UNSUBACK
   * [MQTT-3.11.2-1], [MQTT-3.11.2-2]; DISCONNECT [MQTT-3.14.2-3], [MQTT-3.14.2-4]; AUTH
   * [MQTT-3.15.2-2], [MQTT-3.15.2-3]), or not at all ([MQTT-3.1.2-24]); without its CONNACK there is
   * no connection.
   */
  #sendShortened(packet: Packet): void {
    const properties: { -readonly [Name in keyof Properties]: Properties[Name] } =
      'properties' in packet ? { ...packet.properties } : {};
    delete properties.reasonString;
    delete properties.userProperties;
    const bytes = encodePacket({ ...packet, properties } as Packet, this.version);
    if (bytes.length <= this.terms.maximumPacketSizeOutbound) this.output.append(bytes);
    else if (packet.kind === 'connack') this.end();
  }

  /**
   * Success. `header` is the first byte: 0x40 PUBACK, 0x50 PUBREC, 0x62 PUBREL, 0x70 PUBCOMP;
   * `identifier` that of the PUBLISH (MQTT-5.0 [MQTT-2.2.1-5]).
   */
  writeAcknowledgement(header: number, identifier: number): void {
    if (this.phase === 'closed') return;
    const chunk = this.output.reserve(4);
    this.output.length = writeAcknowledgement(chunk, this.output.length, header, identifier);
    countAcknowledgement(this.context.counters, header);
  }

  /**
   * With a reason code, but never a reason string or user properties: they could make it too large
   * (MQTT-5.0 [MQTT-3.4.2-2], [MQTT-3.4.2-3], [MQTT-3.5.2-2], [MQTT-3.5.2-3], [MQTT-3.6.2-2],
   * [MQTT-3.6.2-3], [MQTT-3.7.2-2], [MQTT-3.7.2-3]) or unwanted ([MQTT-3.1.2-29]).
   */
  writeAcknowledgementWithReason(header: number, identifier: number, reasonCode: number): void {
    if (this.version !== 5 || reasonCode === 0) {
      this.writeAcknowledgement(header, identifier);
      return;
    }
    if (this.phase === 'closed') return;
    const chunk = this.output.reserve(5);
    const at = this.output.length;
    this.output.length = writeAcknowledgementWithReason(chunk, at, header, identifier, reasonCode);
    countAcknowledgement(this.context.counters, header);
  }

  /**
   * The message could not be kept for those that want it: 5.0 is told why; a 3.x client can't be told, so its
   * connection is closed and it repeats the message later. Never acknowledged and lost.
   */
  refuseMessage(header: number, identifier: number): void {
    this.context.counters.durablePublishesRefused += 1;
    if (header === PUBREC) this.session?.receipts.release(identifier);
    const { reasonCode, reason } = this.context.log.refusal;
    if (this.version !== 5) this.close(reasonCode, reason);
    else if (reasonCode !== ReasonCode.implementationSpecificError) {
      this.writeAcknowledgementWithReason(header, identifier, reasonCode);
    } else {
      // The code alone says nothing.
      const properties = this.terms.requestProblemInformation ? { reasonString: reason } : {};
      const kind = header === PUBREC ? 'pubrec' : 'puback';
      this.send({ kind, packetIdentifier: identifier, reasonCode, properties });
      countAcknowledgement(this.context.counters, header);
    }
  }

  /**
   * The journal could not take the state that PUBREC or PUBCOMP stands for, and neither has a reason
   * code for that: it is not sent, and the exchange goes on over the next connection, as it was.
   */
  withholdAcknowledgement(header: number, identifier: number): void {
    const { session } = this;
    if (header === PUBCOMP && session?.durable === true) session.receipts.add(identifier);
    const { reasonCode, reason } = this.context.log.refusal;
    this.close(reasonCode, reason);
  }

  /**
   * Ends the connection for a reason: DISCONNECT for a connected 5.0 client, CONNACK before that,
   * only the end of the stream for 3.x (MQTT-5.0 [MQTT-4.13.1-1], [MQTT-4.13.2-1], MQTT-3.1.1 §4.8).
   *
   * @param serverReference  where the client is to go (MQTT-5.0 §3.14.2.2.5); empty: that is not told
   */
  close(reasonCode: number, reason: string, serverReference = ''): void {
    if (this.phase === 'closed') return;
    // No DISCONNECT before CONNACK (MQTT-5.0 [MQTT-3.14.0-1]).
    if (!this.accepted) {
      refuseConnect(this, reasonCode, reason, serverReference);
      return;
    }
    if (this.version === 5) {
      this.context.counters.disconnectSent += 1;
      const told = this.terms.requestProblemInformation ? { reasonString: reason } : NO_PROPERTIES;
      const properties = serverReference === '' ? told : { ...told, serverReference };
      this.send({ kind: 'disconnect', reasonCode: reasonCode as ReasonCode, properties });
    }
    logClose(this, reasonCode, reason);
    this.endCause = reasonCode;
    // DISCONNECT is the last packet (MQTT-5.0 [MQTT-3.14.4-1], [MQTT-3.14.4-2]).
    this.end();
  }

  /** Sends what has gathered and closes; nothing more is read. */
  end(): void {
    if (this.phase === 'closed') return;
    this.output.flush();
    this.#release();
    this.transport.end(CLOSE_DEADLINE_MS);
  }

  get #isSuspended(): boolean {
    return this.phase === 'suspended';
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  #release(): void {
    this.phase = 'closed';
    this.context.pausedPublishers.delete(this);
    this.#dropTail();
    if (this.accepted) countDisconnect(this.context.counters, this.endCause);
    connectionLost(this);
  }

  /** @returns where the first packet begins that could not be taken */
  #consume(buffer: Buffer, start: number, end: number): number {
    const { frame } = this.context;
    let at = start;
    while (at < end) {
      const status = readFrame(buffer, at, end, frame);
      if (status !== FrameStatus.complete) {
        if (this.phase === 'awaitingConnect' && !this.#mayBeFirst(buffer[at] as number)) return end;
        if (status === FrameStatus.malformed) {
          this.close(ReasonCode.malformedPacket, 'remaining length of more than four bytes');
          return end;
        }
        if (status === FrameStatus.partial && !this.#admitsSize(frame.bodyEnd - at)) return end;
        return at;
      }
      at = frame.bodyEnd;
      if (!this.#admitsSize(frame.bodyEnd - frame.start)) return end;
      this.#dispatch(buffer, frame.header >> 4);
      // Nothing after a refused CONNECT counts (MQTT-5.0 [MQTT-3.1.4-6]).
      if (this.phase === 'closed') return end;
      if (this.phase === 'suspended') return at;
    }
    return at;
  }

  /** Refused before it is buffered (MQTT-5.0 [MQTT-3.2.2-15]). */
  #admitsSize(byteLength: number): boolean {
    const { maximumPacketSizeBytes } = this.context.settings.protocol;
    const limit =
      this.phase === 'connected'
        ? maximumPacketSizeBytes
        : Math.min(maximumPacketSizeBytes, PACKET_BYTES_MAX_BEFORE_CONNECT);
    if (byteLength <= limit) return true;
    this.close(ReasonCode.packetTooLarge, `packet of ${byteLength} bytes exceeds ${limit}`);
    return false;
  }

  /** One packet in 256 is timed. */
  #dispatch(buffer: Buffer, type: number): void {
    const { context } = this;
    context.packetsUntilSample -= 1;
    if (context.packetsUntilSample > 0) {
      this.#handlePacket(buffer, type);
      return;
    }
    context.packetsUntilSample = PACKETS_PER_SAMPLE;
    const startedMs = performance.now();
    this.#handlePacket(buffer, type);
    context.histograms.packetProcessNs.observe((performance.now() - startedMs) * 1e6);
  }

  #handlePacket(buffer: Buffer, type: number): void {
    if (this.phase === 'awaitingConnect') {
      this.#firstPacket(buffer, type);
    } else if (type === 3) {
      receivePublish(this, buffer);
    } else if (type >= 4 && type <= 7) {
      const fields: AcknowledgementFields = this.context.acknowledgementFields;
      const fault = decodeAcknowledgement(buffer, this.context.frame, this.version, fields);
      if (fault !== 0) this.close(fault, 'malformed acknowledgement');
      else receiveAcknowledgement(this, type, fields);
    } else {
      this.#control(buffer);
    }
  }

  #firstPacket(buffer: Buffer, type: number): void {
    if (this.#mayBeFirst(type << 4)) this.#control(buffer);
  }

  /**
   * Anything but CONNECT is no MQTT (MQTT-5.0 [MQTT-3.1.0-1]), and its first byte is enough to close.
   * Until CONNACK an enhanced authentication goes on with AUTH or ends ([MQTT-3.1.2-30]).
   */
  #mayBeFirst(header: number): boolean {
    const type = header >> 4;
    if (type === 1) return true;
    if (this.authentication !== null && (type === 15 || type === 14)) return true;
    this.close(ReasonCode.protocolError, `first packet of type ${type}, not CONNECT`);
    return false;
  }

  #control(buffer: Buffer): void {
    const decoded = decodePacket(buffer, this.context.frame, this.version, this.#decodeLimits());
    if (!decoded.ok) {
      // A CONNECT that does not keep to its format ends the connection too (MQTT-5.0 [MQTT-3.1.4-1]).
      if (this.phase === 'awaitingConnect') this.#greetAnyway(buffer);
      this.close(decoded.fault.reasonCode, `${decoded.fault.reason} (${decoded.fault.clause})`);
      return;
    }
    this.#handle(decoded.value);
  }

  /** A CONNECT that can't be decoded is still answered in the version that it names. */
  #greetAnyway(buffer: Buffer): void {
    const at = this.context.frame.bodyStart;
    this.greeted = true;
    if (at + 6 >= this.context.frame.bodyEnd) return;
    if (buffer.toString('latin1', at, at + 6) !== '\u0000\u0004MQTT') return;
    // What comes after 5.0 will understand 5.0; bridges set bit 7 of the level and expect 3.1.1's answer.
    const level = buffer[at + 6] as number;
    if (level >= 5 && level < 0x80) this.version = 5;
  }

  #decodeLimits(): DecodeLimits {
    const { limits } = this.context.settings;
    return {
      direction: 'fromClient',
      userPropertiesMax: limits.userPropertiesPerPacketMax,
      clientIdBytesMax: 65_535,
    };
  }

  #handle(packet: Packet): void {
    switch (packet.kind) {
      case 'connect':
        this.#connect(packet);
        break;
      case 'subscribe':
        receiveSubscribe(this, packet);
        break;
      case 'unsubscribe':
        receiveUnsubscribe(this, packet);
        break;
      case 'pingreq':
        this.#ping();
        break;
      case 'disconnect':
        receiveDisconnect(this, packet);
        break;
      case 'auth':
        receiveAuth(this, packet);
        break;
      default:
        // Server's packets from a client.
        this.close(ReasonCode.protocolError, `${packet.kind.toUpperCase()} from a client`);
    }
  }

  #connect(connect: Connect): void {
    if (this.phase !== 'awaitingConnect' || this.authentication !== null) {
      this.close(ReasonCode.protocolError, 'a second CONNECT'); // MQTT-5.0 [MQTT-3.1.0-2]
      return;
    }
    this.context.counters.connectReceived += 1;
    this.version = connect.version;
    this.greeted = true;
    receiveConnect(this, connect);
  }

  /** A PINGREQ is answered at once (MQTT-5.0 [MQTT-3.12.4-1]). */
  #ping(): void {
    this.context.counters.pingreqReceived += 1;
    this.context.counters.pingrespSent += 1;
    const chunk = this.output.reserve(2);
    chunk[this.output.length] = 0xd0;
    chunk[this.output.length + 1] = 0;
    this.output.length += 2;
  }

  /** Copies what can't be taken yet. Grows with the bytes that are really there, never by a claim. */
  #keep(buffer: Buffer, start: number, end: number): void {
    if (this.phase === 'closed') return;
    const needed = this.#tailLength + end - start;
    if (needed > this.#tail.length) {
      // Half as much again: a packet that comes in many pieces is copied a few times only.
      const larger = Buffer.allocUnsafeSlow(needed + (needed >> 1));
      this.#tail.copy(larger, 0, 0, this.#tailLength);
      this.context.inputBytes += larger.length - this.#tail.length;
      this.#tail = larger;
    }
    buffer.copy(this.#tail, this.#tailLength, start, end);
    this.#tailLength = needed;
  }

  #consumeTail(): void {
    if (this.#tailLength === 0) return;
    const tail = this.#tail;
    const length = this.#tailLength;
    const at = this.#consume(tail, 0, length);
    if (at >= length || this.phase === 'closed') {
      this.#dropTail();
      return;
    }
    if (at > 0) tail.copyWithin(0, at, length);
    this.#tailLength = length - at;
  }

  #dropTail(): void {
    this.context.inputBytes -= this.#tail.length;
    this.#tail = NOTHING;
    this.#tailLength = 0;
  }
}
