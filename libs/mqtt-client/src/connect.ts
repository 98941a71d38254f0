import type { Connack, Connect, Packet } from '@robustmq/mqtt-codec';
import { NO_PROPERTIES, reasonCodeName } from '@robustmq/mqtt-codec';
import { MqttClientError } from './client-error.ts';
import { resolveOptions } from './client-options.ts';
import type { ClientOptions, ResolvedClientOptions } from './client-options.ts';
import { MqttClient } from './mqtt-client.ts';
import { openConnection } from './mqtt-connection.ts';

/**
 * Connects to a broker and waits for CONNACK.
 *
 * @throws MqttClientError `CLIENT_UNREACHABLE`, `CLIENT_CONNECT_REFUSED`, `CLIENT_TIMED_OUT`, `CLIENT_CLOSED`
 */
export async function connect(options: ClientOptions): Promise<MqttClient> {
  const resolved = resolveOptions(options);
  const connection = await openConnection(resolved, resolved.version, resolved.timeoutMs);
  try {
    connection.send(connectPacket(resolved));
    const answer = await connection.next(resolved.timeoutMs);
    if (answer === null) {
      const end = connection.end ?? ({ kind: 'ended' } as const);
      throw new MqttClientError({ code: 'CLIENT_CLOSED', operation: 'CONNECT', end });
    }
    return new MqttClient(connection, acceptedOrThrow(answer, resolved), resolved);
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** The CONNECT that the options ask for. */
export function connectPacket(options: ResolvedClientOptions): Connect {
  return {
    kind: 'connect',
    version: options.version,
    cleanStart: options.cleanStart,
    keepAliveSeconds: options.keepAliveSeconds,
    clientId: options.clientId,
    will: options.will,
    username: options.username,
    password: options.password,
    properties: options.version === 5 ? options.properties : NO_PROPERTIES,
  };
}

function acceptedOrThrow(packet: Packet, options: ResolvedClientOptions): Connack {
  if (packet.kind !== 'connack') {
    const reason = `the server answered CONNECT with ${packet.kind.toUpperCase()}`;
    const end = { kind: 'failed', reason } as const;
    throw new MqttClientError({ code: 'CLIENT_CLOSED', operation: 'CONNECT', end });
  }
  if (packet.reasonCode === 0) return packet;
  const reason =
    packet.properties.reasonString ??
    (options.version === 5
      ? reasonCodeName(packet.reasonCode)
      : (RETURN_CODES[packet.reasonCode] ?? 'unknown return code'));
  throw new MqttClientError({
    code: 'CLIENT_CONNECT_REFUSED',
    reasonCode: packet.reasonCode,
    reason,
  });
}

/** MQTT-3.1.1 §3.2.2.3. */
const RETURN_CODES: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version',
  2: 'identifier rejected',
  3: 'server unavailable',
  4: 'bad user name or password',
  5: 'not authorized',
};
