/** Subscribers that stop reading. */
import {
  connectPacket,
  type MqttConnection,
  openConnection,
  resolveOptions,
} from '@robustmq/mqtt-client';
import { NO_PROPERTIES, type Qos } from '@robustmq/mqtt-codec';

const ANSWER_LIMIT_MS = 10_000;
const A_DAY_SECONDS = 86_400;

/** What it subscribes to before it stops. */
export interface StalledReader {
  readonly clientId: string;
  readonly filter: string;
  readonly qos: Qos;
  /** `durable`: the session outlives the connection, so its messages are kept on disk. */
  readonly session: 'durable' | 'clean';
}

/** Connects, subscribes, and reads no more. */
export async function stallReader(port: number, reader: StalledReader): Promise<MqttConnection> {
  const durable = reader.session === 'durable';
  const options = resolveOptions({
    ...{ port, clientId: reader.clientId, keepAliveSeconds: 0, cleanStart: !durable },
    properties: durable ? { sessionExpiryIntervalSeconds: A_DAY_SECONDS } : NO_PROPERTIES,
  });
  const connection = await openConnection(options, 5, ANSWER_LIMIT_MS);
  connection.send(connectPacket(options));
  await connection.next(ANSWER_LIMIT_MS);
  connection.send({
    ...{ kind: 'subscribe', packetIdentifier: 1, properties: NO_PROPERTIES },
    subscriptions: [
      {
        ...{ filter: reader.filter, qos: reader.qos, noLocal: false },
        ...{ retainAsPublished: false, retainHandling: 0 },
      },
    ],
  });
  await connection.next(ANSWER_LIMIT_MS);
  connection.pause();
  return connection;
}
