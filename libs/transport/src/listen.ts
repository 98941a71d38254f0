import { bindServer, stopServer } from './bind-server.ts';
import type { AcceptConnection } from './connection.ts';
import { ListenerContext } from './listener-context.ts';
import type { Listen, Listener, ListenerOptions, ReportHandlerFault } from './listener.ts';

export const listen: Listen = async (
  options: ListenerOptions,
  accept: AcceptConnection,
  reportHandlerFault?: ReportHandlerFault,
): Promise<Listener> => {
  const { server, identity } = await bindServer(options);
  const context = new ListenerContext(identity, options.connectionsMax, {
    accept,
    reportHandlerFault: reportHandlerFault ?? null,
  });
  const { acceptRaw } = await import('./raw-listener.ts');
  acceptRaw(server, context, (connection) => {
    connection.handOver();
  });
  return {
    identity,
    stats: context.stats,
    engine: 'raw',
    engineFallbackReason: null,
    stop: () => stopServer(server),
    reloadTls(): void {},
  };
};
