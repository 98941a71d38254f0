import type { Properties, ProtocolVersion, Will } from '@robustmq/mqtt-codec';
import { NO_PROPERTIES } from '@robustmq/mqtt-codec';
import type { ClientSession } from './client-session.ts';
import type { TlsClientOptions } from './open-socket.ts';
import type { ReceivedMessage } from './received-message.ts';

/** How to connect. What is left out has the default that {@link resolveOptions} names. */
export interface ClientOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: TlsClientOptions | null;
  readonly version?: ProtocolVersion;
  /** Empty: the server chooses (not for 3.1, which has no such thing). */
  readonly clientId?: string;
  /** Begin a new session; else resume the one the server has. */
  readonly cleanStart?: boolean;
  readonly keepAliveSeconds?: number;
  readonly username?: string | null;
  readonly password?: Uint8Array | null;
  readonly will?: Will | null;
  /** The properties of CONNECT; only sent by 5.0. */
  readonly properties?: Properties;
  /** The state of the connection before, to go on with. */
  readonly session?: ClientSession | null;
  /** The deadline of each single operation. */
  readonly timeoutMs?: number;
  /**
   * `taken`: PUBACK or PUBREC leaves when the message is handed to its consumer. `manual`: when
   * `message.acknowledge()` is called.
   */
  readonly acknowledge?: 'taken' | 'manual';
  /** Receives every message, synchronously. null: iterate over `client.messages()`. */
  readonly onMessage?: ((message: ReceivedMessage) => void) | null;
  /** Messages that may wait for the iterator before reading pauses. */
  readonly waitingMessagesMax?: number;
}

/** Options with every default applied. */
export type ResolvedClientOptions = Required<ClientOptions>;

export function resolveOptions(options: ClientOptions): ResolvedClientOptions {
  return {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? (options.tls == null ? 1883 : 8883),
    tls: options.tls ?? null,
    version: options.version ?? 5,
    clientId: options.clientId ?? '',
    cleanStart: options.cleanStart ?? true,
    keepAliveSeconds: options.keepAliveSeconds ?? 60,
    username: options.username ?? null,
    password: options.password ?? null,
    will: options.will ?? null,
    properties: options.properties ?? NO_PROPERTIES,
    session: options.session ?? null,
    timeoutMs: options.timeoutMs ?? 30_000,
    acknowledge: options.acknowledge ?? 'taken',
    onMessage: options.onMessage ?? null,
    waitingMessagesMax: options.waitingMessagesMax ?? 1000,
  };
}
