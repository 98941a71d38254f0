import type { ClientConnection } from './client-connection.ts';

/** The stream is over: the session is detached, and its will may be due (MQTT-5.0 §3.1.2.5). */
export function connectionLost(connection: ClientConnection): void {
  const { context } = connection;
  context.connections.delete(connection);
  connection.output.close();
  const session = connection.session;
  if (session === null || session.connection !== connection) return;
  context.sessions.detach(session, connection);
}
