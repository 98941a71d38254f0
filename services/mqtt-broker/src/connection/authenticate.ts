import type { Connect } from '@robustmq/mqtt-codec';
import type { AuthenticationExchange } from '@robustmq/mqtt-session';

/** An enhanced authentication of this connection (MQTT-5.0 §4.12), under way or done. */
export interface AuthenticationState {
  readonly method: string;
  exchange: AuthenticationExchange;
  underWay: boolean;
  /** CONNECT that waits for the outcome; null for a re-authentication. */
  connect: Connect | null;
}
