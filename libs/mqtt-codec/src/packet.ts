import type { Properties } from './properties.ts';
import type { ReasonCode } from './reason-code.ts';

/** Protocol level of CONNECT: 3 is MQTT 3.1 (`MQIsdp`), 4 is 3.1.1, 5 is 5.0. */
export type ProtocolVersion = 3 | 4 | 5;
export type Qos = 0 | 1 | 2;

export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
}

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

export interface Connack {
  readonly kind: 'connack';
  readonly sessionPresent: boolean;
  /** For 3.1 and 3.1.1 the return code, 0 to 5. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

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

export interface Acknowledgement {
  readonly kind: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
  readonly packetIdentifier: number;
  readonly reasonCode: ReasonCode;
  readonly properties: Properties;
}

export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
}

export interface Subscribe {
  readonly kind: 'subscribe';
  readonly packetIdentifier: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: Properties;
}

export interface Suback {
  readonly kind: 'suback';
  readonly packetIdentifier: number;
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

export interface Unsubscribe {
  readonly kind: 'unsubscribe';
  readonly packetIdentifier: number;
  readonly filters: readonly string[];
  readonly properties: Properties;
}

export interface Unsuback {
  readonly kind: 'unsuback';
  readonly packetIdentifier: number;
  /** Empty for 3.1 and 3.1.1. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

export interface Pingreq {
  readonly kind: 'pingreq';
}

export interface Pingresp {
  readonly kind: 'pingresp';
}

export interface Disconnect {
  readonly kind: 'disconnect';
  readonly reasonCode: ReasonCode;
  readonly properties: Properties;
}

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
