import type { Server as TlsServer } from 'node:tls';
import { bindServer, stopServer } from './bind-server.ts';
import type { AcceptConnection } from './connection.ts';
import { ListenerContext } from './listener-context.ts';
import {
  type Listen,
  type Listener,
  ListenError,
  type ListenerOptions,
  type ReportHandlerFault,
  type WebSocketOptions,
} from './listener.ts';
import { probeRawEngine } from './raw-probe.ts';
import {
  acceptSockets,
  newTlsServer,
  type ServeSocket,
  servePlain,
  serveTls,
} from './socket-listener.ts';
import { readTlsMaterial, type TlsMaterial } from './tls-files.ts';
import { serveSecureWebSocket, serveWebSocket } from './websocket-listener.ts';

export const listen: Listen = async (
  options: ListenerOptions,
  accept: AcceptConnection,
  reportHandlerFault?: ReportHandlerFault,
): Promise<Listener> => {
  // All that can fail for a reason of its own comes before the port is bound, and all that waits:
  // from `bindServer` on, nothing may let a connection arrive before someone serves it.
  const sections = sectionsOf(options);
  const choice = await chooseEngine(options);
  const raw = choice.engine === 'raw' ? await import('./raw-listener.ts') : null;
  const { server, identity } = await bindServer(options);
  const context = new ListenerContext(identity, options.connectionsMax, {
    accept,
    reportHandlerFault: reportHandlerFault ?? null,
  });
  let reloadTls = nothingToReload;
  if (raw === null) {
    const { serve, reload } = serverOf(options, context, sections);
    acceptSockets(server, options, { context, serve });
    reloadTls = reload;
  } else if (options.proxyProtocol === 'off') {
    raw.acceptRaw(server, context, (connection) => {
      connection.handOver();
    });
  } else {
    raw.acceptRawBehindProxy(server, context, options.handshakeTimeoutMs);
  }
  return {
    identity,
    stats: context.stats,
    engine: choice.engine,
    engineFallbackReason: choice.fallbackReason,
    stop: () => stopServer(server),
    reloadTls,
  };
};

interface EngineChoice {
  readonly engine: 'raw' | 'socket';
  readonly fallbackReason: string | null;
}

async function chooseEngine(options: ListenerOptions): Promise<EngineChoice> {
  if (options.kind !== 'tcp' || options.engine === 'socket') {
    return { engine: 'socket', fallbackReason: null };
  }
  const probe = await probeRawEngine();
  if (probe.kind === 'usable') return { engine: 'raw', fallbackReason: null };
  if (options.engine === 'auto') return { engine: 'socket', fallbackReason: probe.reason };
  throw new ListenError(
    'LISTEN_RAW_ENGINE_UNUSABLE',
    `listener ${options.name}: the raw engine does not work with this Node.js (${probe.reason}). Set the engine to auto or socket.`,
  );
}

/** What the kinds of listener need besides the common options, read and checked. */
type Sections =
  | { readonly kind: 'tcp' }
  | { readonly kind: 'tls'; readonly material: TlsMaterial }
  | { readonly kind: 'websocket'; readonly websocket: WebSocketOptions }
  | {
      readonly kind: 'websocket-tls';
      readonly material: TlsMaterial;
      readonly websocket: WebSocketOptions;
    };

function sectionsOf(options: ListenerOptions): Sections {
  switch (options.kind) {
    case 'tcp':
      return { kind: 'tcp' };
    case 'tls':
      return { kind: 'tls', material: materialOf(options) };
    case 'websocket':
      return { kind: 'websocket', websocket: required(options, options.websocket, 'websocket') };
    case 'websocket-tls':
      return {
        kind: 'websocket-tls',
        material: materialOf(options),
        websocket: required(options, options.websocket, 'websocket'),
      };
  }
}

function serverOf(
  options: ListenerOptions,
  context: ListenerContext,
  sections: Sections,
): { readonly serve: ServeSocket; readonly reload: () => void } {
  switch (sections.kind) {
    case 'tcp':
      return { serve: servePlain(context), reload: nothingToReload };
    case 'websocket':
      return { serve: serveWebSocket(context, sections.websocket), reload: nothingToReload };
    case 'tls': {
      const tlsServer = newTlsServer(sections.material);
      return { serve: serveTls(context, tlsServer), reload: reloadOf(options, tlsServer) };
    }
    case 'websocket-tls': {
      const { serve, tlsServer } = serveSecureWebSocket(
        context,
        sections.websocket,
        sections.material,
      );
      return { serve, reload: reloadOf(options, tlsServer) };
    }
  }
}

/** Reads everything before it replaces anything. Connections that are open keep what they have. */
function reloadOf(options: ListenerOptions, tlsServer: TlsServer): () => void {
  return (): void => {
    tlsServer.setSecureContext(materialOf(options));
  };
}

function materialOf(options: ListenerOptions): TlsMaterial {
  return readTlsMaterial(options.name, required(options, options.tls, 'tls'));
}

function required<Section>(options: ListenerOptions, value: Section | null, name: string): Section {
  if (value !== null) return value;
  throw new ListenError(
    'LISTEN_SECTION_MISSING',
    `listener ${options.name}: a listener of kind ${options.kind} needs its ${name} section. Add it, or change the kind.`,
  );
}

function nothingToReload(): void {}
