import type { ClientConnection } from '../connection/client-connection.ts';
import type { ClientSession } from '../session/client-session.ts';
import { REPEATED, type ReplicatedGroup } from './replicated-group.ts';
import { SessionCursor } from './session-cursor.ts';

const PUBACK = 0x40;
const PUBREC = 0x50;

/**
 * Sends what a finished group acknowledges, in order.
 *
 * @param withdrawn  told of a session whose receipt was taken back: its record may have it
 */
export function acknowledgeAll(
  group: ReplicatedGroup,
  withdrawn: (session: ClientSession) => void,
): void {
  const connections = group.ackConnections;
  for (let index = 0; index < connections.length; index += 1) {
    const connection = connections[index] as ClientConnection;
    const header = group.ackHeaders[index] as number;
    const identifier = group.ackIdentifiers[index] as number;
    const shard = group.ackShards[index] as number;
    const { session } = connection;
    connection.waitingAcknowledgements -= 1;
    if (header === PUBACK) connection.waitingPubacks -= 1;
    const cursor = session?.consumer instanceof SessionCursor ? session.consumer : null;
    if (shard >= 0 && header === PUBREC) cursor?.receiptDecided(identifier);
    const isRefused =
      shard === REPEATED
        ? session?.receipts.has(identifier) !== true
        : shard >= 0 && group.refused.has(shard);
    if (isRefused) {
      connection.refuseForQuota(header, identifier);
      if (session !== null && cursor !== null) withdrawn(session);
    } else if (cursor === null || cursor.isOurs) {
      const reasonCode = group.ackReasonCodes[index] as number;
      connection.writeAcknowledgementWithReason(header, identifier, reasonCode);
    }
  }
}
