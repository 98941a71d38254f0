import type { Message } from '@robustmq/broker';

/** What is published when a client goes without DISCONNECT (MQTT-5.0 §3.1.2.5). */
export interface WillMessage {
  /** A kept message; its expiry starts when it is published. */
  readonly message: Message;
  readonly delaySeconds: number;
  /** 0: never expires. */
  readonly expirySeconds: number;
}
