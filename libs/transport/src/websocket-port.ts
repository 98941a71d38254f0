import type { WebSocket } from 'ws';
import type { CloseCause } from './connection.ts';
import type { StreamPort, StreamPortEvents } from './stream-port.ts';

/** RFC 6455 §7.4.1. */
const CLOSE_NORMAL = 1000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_UNSUPPORTED_DATA = 1003;
const CLOSE_NO_STATUS = 1005;

/** LIMIT: a PONG is left out while this many bytes wait to be sent (RFC 6455 §5.5.3 allows it). */
const PONG_BACKLOG_BYTES_MAX = 16_384;

/**
 * A WebSocket as a carrier. Message boundaries mean nothing: a packet may span messages and a message
 * may hold several packets (MQTT-5.0 [MQTT-6.0.0-2]).
 */
export class WebSocketPort implements StreamPort {
  readonly custody = 'keeps';
  readonly #websocket: WebSocket;
  #failure: string | null = null;
  #endedByUs = false;

  constructor(websocket: WebSocket) {
    this.#websocket = websocket;
  }

  attach(events: StreamPortEvents): void {
    const websocket = this.#websocket;
    websocket.on('message', (data: Buffer, isBinary: boolean) => {
      if (this.#failure !== null) return;
      if (isBinary) {
        if (data.length > 0) events.received(data);
        return;
      }
      // MQTT-5.0 [MQTT-6.0.0-1]: other than binary frames, the connection is closed.
      this.#failure = 'a WebSocket text message; MQTT needs binary ones';
      websocket.close(CLOSE_UNSUPPORTED_DATA, 'MQTT needs binary messages');
      websocket.resume();
    });
    websocket.on('ping', (data: Buffer) => {
      if (websocket.bufferedAmount < PONG_BACKLOG_BYTES_MAX) websocket.pong(data, false, ignore);
    });
    websocket.on('error', (error: Error) => {
      this.#failure ??= error.message;
    });
    websocket.on('close', (code: number) => {
      events.closed(this.#causeOf(code));
    });
  }

  send(bytes: Uint8Array, done: () => void): void {
    this.#websocket.send(bytes, BINARY, (error) => {
      if (error === null || error === undefined) done();
    });
  }

  bufferedBytes(): number {
    return this.#websocket.bufferedAmount;
  }

  pause(): void {
    this.#websocket.pause();
  }

  resume(): void {
    this.#websocket.resume();
  }

  end(): void {
    this.#endedByUs = true;
    this.#websocket.close(CLOSE_NORMAL);
  }

  destroy(): void {
    this.#websocket.terminate();
  }

  #causeOf(code: number): CloseCause {
    if (this.#failure !== null) return { kind: 'failed', reason: this.#failure };
    if (this.#endedByUs) return { kind: 'destroyed' };
    if (code === CLOSE_NORMAL || code === CLOSE_GOING_AWAY || code === CLOSE_NO_STATUS) {
      return { kind: 'ended' };
    }
    return { kind: 'failed', reason: `the WebSocket closed with status ${code}` };
  }
}

const BINARY = { binary: true } as const;

function ignore(): void {}
