import type { Message } from '@robustmq/broker';

/** Stands for a will without Message Expiry Interval, which may itself be 0. */
export const WILL_NEVER_EXPIRES = 0xffff_ffff;

export interface WillOwner {
  readonly username: string | null;
  readonly superuser: boolean;
}

/** What is published when a client goes without DISCONNECT (MQTT-5.0 §3.1.2.5). */
export interface WillMessage {
  /** A kept message; its expiry starts when it is published. */
  readonly message: Message;
  readonly delaySeconds: number;
  /** {@link WILL_NEVER_EXPIRES}, or seconds from its publication on; 0 is over at once. */
  readonly expirySeconds: number;
  /** In whose name it is published: rules are asked again by then, perhaps after a restart. */
  readonly owner: WillOwner;
}
