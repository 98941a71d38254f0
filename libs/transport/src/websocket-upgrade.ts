import type { IncomingMessage } from 'node:http';
import type { WebSocketOptions } from './listener.ts';

/**
 * `mqtt` is the registered name (MQTT-5.0 [MQTT-6.0.0-3]); `mqttv3.1` is what clients of MQTT 3.1 ask
 * for. The first that we know is chosen.
 */
export const SUBPROTOCOLS: readonly string[] = ['mqtt', 'mqttv3.1'];

export interface UpgradeRefusal {
  readonly status: number;
  readonly sentence: string;
}

/** @returns the one to select, or null when the client offers none of ours */
export function subprotocolOf(offered: Iterable<string>): string | null {
  const names = new Set(offered);
  return SUBPROTOCOLS.find((name) => names.has(name)) ?? null;
}

/** Judges what is ours to judge; the handshake's own rules (RFC 6455 §4.2.1) are left to the library. */
export function judgeUpgrade(
  request: Pick<IncomingMessage, 'url' | 'headers'>,
  options: WebSocketOptions,
): UpgradeRefusal | null {
  if ((request.url ?? '').split('?', 1)[0] !== options.path) {
    return { status: 404, sentence: 'Nothing is served at this path.' };
  }
  const origin = request.headers.origin;
  // RFC 6455 §10.2: only browsers send an origin, and only they are to be restrained by it.
  if (options.allowedOrigins !== null && origin !== undefined) {
    if (!options.allowedOrigins.includes(origin)) {
      return { status: 403, sentence: 'This origin may not connect.' };
    }
  }
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  if (subprotocolOf(offered.split(',').map((name) => name.trim())) === null) {
    return { status: 400, sentence: `The WebSocket subprotocol must be ${SUBPROTOCOLS[0]}.` };
  }
  return null;
}
