/** TLS of both sides: TLS 1.2 at least; with an authority for clients it is mutual. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** Certificates as PEM text. */
export interface ServerTls {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Who vouches for clients: then every client must show a certificate. null: none is asked for. */
  readonly clientAuthority: Buffer | null;
}

/** Certificates as PEM text. */
export interface ChannelTls {
  /** Who vouches for servers; null: those that Node.js trusts. */
  readonly authority: Buffer | null;
  /** What this side shows, for mutual TLS. */
  readonly own: { readonly certificate: Buffer; readonly key: Buffer } | null;
  /** The name that the server's certificate must have, when it is not the address's host. */
  readonly serverName: string | null;
}

/** Why certificates or an address could not be used. Codes are API. */
export interface RpcSetupFault {
  readonly code:
    | 'RPC_TLS_INVALID'
    | 'RPC_TLS_FILE_UNREADABLE'
    | 'RPC_TOKEN_FILE_UNUSABLE'
    | 'RPC_LISTEN_FAILED';
  /** In the system's words, with the file or address. */
  readonly detail: string;
}

/** A server or a channel could not be set up; nothing is open. */
export class RpcSetupError extends Error {
  override readonly name = 'RpcSetupError';
  readonly fault: RpcSetupFault;

  constructor(fault: RpcSetupFault, options?: ErrorOptions) {
    super(`${fault.code}: ${fault.detail}`, options);
    this.fault = fault;
  }
}

/** @throws RpcSetupError RPC_TLS_FILE_UNREADABLE */
export async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const fault = { code: 'RPC_TLS_FILE_UNREADABLE', detail: String(error) } as const;
    throw new RpcSetupError(fault, { cause: error });
  }
}

/** @throws RpcSetupError RPC_TLS_INVALID when the PEM texts are no certificate, key or authority */
export function serverCredentials(tls: ServerTls | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  const { certificate, key, clientAuthority } = tls;
  return checked(() => {
    const authority = clientAuthority === null ? {} : { ca: clientAuthority };
    createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2', ...authority });
    const pairs = [{ cert_chain: certificate, private_key: key }];
    return ServerCredentials.createSsl(clientAuthority, pairs, clientAuthority !== null);
  });
}

/** @throws RpcSetupError RPC_TLS_INVALID, as above */
export function channelCredentials(tls: ChannelTls | null): ChannelCredentials {
  if (tls === null) return ChannelCredentials.createInsecure();
  const { authority, own } = tls;
  return checked(() => {
    const context = createSecureContext({
      minVersion: 'TLSv1.2',
      ...(authority === null ? {} : { ca: authority }),
      ...(own === null ? {} : { cert: own.certificate, key: own.key }),
    });
    return ChannelCredentials.createFromSecureContext(context);
  });
}

function checked<Credentials>(create: () => Credentials): Credentials {
  try {
    return create();
  } catch (error) {
    const fault = { code: 'RPC_TLS_INVALID', detail: String(error) } as const;
    throw new RpcSetupError(fault, { cause: error });
  }
}
