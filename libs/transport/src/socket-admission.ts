import type { Socket } from 'node:net';
import { armDeadline, disarmDeadline, type Expiring } from './deadlines.ts';
import type { ListenerContext } from './listener-context.ts';
import { type PeerAddress, plainAddress } from './peer-address.ts';
import { ProxyHeaderReader } from './proxy-header-reader.ts';

/**
 * One accepted `net.Socket` from accept to close: it counts as open, and until it is `usable` the
 * handshake deadline runs. A socket that closes before is a failed handshake, for whatever reason.
 */
export class SocketAdmission implements Expiring {
  readonly socket: Socket;
  peer: PeerAddress;
  #usable = false;

  constructor(socket: Socket, context: ListenerContext, handshakeTimeoutMs: number) {
    this.socket = socket;
    this.peer = {
      address: plainAddress(socket.remoteAddress ?? ''),
      port: socket.remotePort ?? 0,
    };
    armDeadline(this, handshakeTimeoutMs);
    socket.on('error', ignore); // `close` follows, and whoever serves the socket hears of it there
    socket.once('close', () => {
      disarmDeadline(this);
      context.release();
      if (!this.#usable) context.stats.handshakeFailures += 1;
    });
  }

  becomeUsable(): void {
    this.#usable = true;
    disarmDeadline(this);
  }

  deadlinePassed(): void {
    this.socket.destroy();
  }
}

/**
 * Reads the PROXY header in front of everything else and puts back what came after it, so that TLS,
 * HTTP or MQTT begins with its own first byte.
 */
export function readProxyHeader(admission: SocketAdmission, serve: () => void): void {
  const socket = admission.socket;
  const reader = new ProxyHeaderReader();
  function onReadable(): void {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read()) {
      const step = reader.push(chunk, 0, chunk.length);
      if (step.kind === 'incomplete') continue;
      socket.off('readable', onReadable);
      if (step.kind === 'malformed') {
        socket.destroy();
        return;
      }
      if (step.source !== null) admission.peer = step.source;
      if (step.next < chunk.length) socket.unshift(chunk.subarray(step.next));
      // A stream forgets its `readable` listener in the next tick only; serve it after that.
      process.nextTick(serve);
      return;
    }
  }
  socket.on('readable', onReadable);
}

function ignore(): void {}
