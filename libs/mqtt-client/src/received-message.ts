import type { Properties, Qos } from '@robustmq/mqtt-codec';

/** A message that the server delivered. */
export interface ReceivedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 for QoS 0. */
  readonly packetIdentifier: number;
  readonly properties: Properties;
  /** Sends PUBACK or PUBREC, once. Needed with `acknowledge: 'manual'` only. */
  readonly acknowledge: () => void;
}
