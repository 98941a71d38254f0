import type { Properties } from './properties.ts';
import type { ReasonCode } from './reason-code.ts';

/** Protocol level of CONNECT: 3 is MQTT 3.1 (`MQIsdp`), 4 is 3.1.1, 5 is 5.0. */
export type ProtocolVersion = 3 | 4 | 5;
/** Quality of service (MQTT-5.0 §4.3). */
export type Qos = 0 | 1 | 2;

/** The will message (MQTT-5.0 §3.1.2.5). Decoded, `payload` is a copy. */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
}

/** CONNECT (MQTT-5.0 §3.1). Decoded, `password` is a copy. */
export interface Connect {
  readonly kind: 'connect';
  readonly version: ProtocolVersion;
  readonly cleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly clientId: string;
  readonly will: Will | null;
  readonly username: string | null;
  readonly password: Uint8Array | null;
  readonly properties: Properties;
}

/** CONNACK (MQTT-5.0 §3.2). */
export interface Connack {
  readonly kind: 'connack';
  readonly sessionPresent: boolean;
  /** For 3.1 and 3.1.1 the return code, 0 to 5. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** PUBLISH (MQTT-5.0 §3.3). Decoded, `payload` is a copy; brokers decode in place instead. */
export interface Publish {
  readonly kind: 'publish';
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 for QoS 0. */
  readonly packetIdentifier: number;
  readonly properties: Properties;
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP (MQTT-5.0 §3.4 to §3.7). Before 5.0 the reason code is 0. */
export interface Acknowledgement {
  readonly kind: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
  readonly packetIdentifier: number;
  readonly reasonCode: ReasonCode;
  readonly properties: Properties;
}

/** One subscription of SUBSCRIBE (MQTT-5.0 §3.8.3). Before 5.0 all options but the QoS are unset. */
export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
}

/** SUBSCRIBE (MQTT-5.0 §3.8). Filters are UTF-8, their syntax is not checked by the codec. */
export interface Subscribe {
  readonly kind: 'subscribe';
  readonly packetIdentifier: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: Properties;
}

/** SUBACK (MQTT-5.0 §3.9). */
export interface Suback {
  readonly kind: 'suback';
  readonly packetIdentifier: number;
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** UNSUBSCRIBE (MQTT-5.0 §3.10). Filters are UTF-8, their syntax is not checked by the codec. */
export interface Unsubscribe {
  readonly kind: 'unsubscribe';
  readonly packetIdentifier: number;
  readonly filters: readonly string[];
  readonly properties: Properties;
}

/** UNSUBACK (MQTT-5.0 §3.11). */
export interface Unsuback {
  readonly kind: 'unsuback';
  readonly packetIdentifier: number;
  /** Empty for 3.1 and 3.1.1. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** PINGREQ (MQTT-5.0 §3.12). */
export interface Pingreq {
  readonly kind: 'pingreq';
}

/** PINGRESP (MQTT-5.0 §3.13). */
export interface Pingresp {
  readonly kind: 'pingresp';
}

/** DISCONNECT (MQTT-5.0 §3.14). Before 5.0 the reason code is 0. */
export interface Disconnect {
  readonly kind: 'disconnect';
  readonly reasonCode: ReasonCode;
  readonly properties: Properties;
}

/** AUTH (MQTT-5.0 §3.15), 5.0 only. */
export interface Auth {
  readonly kind: 'auth';
  readonly reasonCode: ReasonCode;
  readonly properties: Properties;
}

/** All fifteen control packets (MQTT-5.0 §2.1.2). */
export type Packet =
  | Connect
  | Connack
  | Publish
  | Acknowledgement
  | Subscribe
  | Suback
  | Unsubscribe
  | Unsuback
  | Pingreq
  | Pingresp
  | Disconnect
  | Auth;
