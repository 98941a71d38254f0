/** Reads what the configuration of a process names: certificates and the cluster token. */
import { readFile } from 'node:fs/promises';
import { type ChannelTls, readPem, RpcSetupError, type ServerTls } from './tls.ts';

/** Paths of PEM files; read when the process starts. */
export interface TlsSettings {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly authorityFile: string | null;
  readonly clientCertificate: 'none' | 'required';
}

/** Where the cluster token is. */
export type TokenSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string };

/** Where a process has its credentials. */
export interface CredentialSettings {
  /** null: in clear. */
  readonly tls: TlsSettings | null;
  /** null: callers need not show one. */
  readonly clusterToken: TokenSource | null;
}

/** As configuration files of a cluster say it: `[tls]`, and the keys of the cluster token. */
export function credentialSettingsFrom(
  tls: {
    readonly enable: boolean;
    readonly cert: string;
    readonly key: string;
    readonly ca: string;
    readonly client_certificate: 'none' | 'required';
  },
  node: { readonly cluster_token: string; readonly cluster_token_file: string },
): CredentialSettings {
  return {
    tls: tls.enable
      ? {
          certificateFile: tls.cert,
          keyFile: tls.key,
          authorityFile: tls.ca === '' ? null : tls.ca,
          clientCertificate: tls.client_certificate,
        }
      : null,
    clusterToken: tokenSource(node),
  };
}

function tokenSource(node: {
  readonly cluster_token: string;
  readonly cluster_token_file: string;
}): TokenSource | null {
  if (node.cluster_token_file !== '') return { kind: 'file', path: node.cluster_token_file };
  return node.cluster_token === '' ? null : { kind: 'text', text: node.cluster_token };
}

/** What a process shows as a server and to other servers. */
export interface Credentials {
  readonly server: ServerTls | null;
  readonly channel: ChannelTls | null;
  readonly token: string | null;
}

/** @throws RpcSetupError RPC_TLS_FILE_UNREADABLE, RPC_TOKEN_FILE_UNUSABLE */
export async function readCredentials(settings: CredentialSettings): Promise<Credentials> {
  const token = settings.clusterToken === null ? null : await readToken(settings.clusterToken);
  if (settings.tls === null) return { server: null, channel: null, token };
  return { ...(await readCertificates(settings.tls)), token };
}

async function readCertificates(tls: TlsSettings): Promise<Omit<Credentials, 'token'>> {
  const certificate = await readPem(tls.certificateFile);
  const key = await readPem(tls.keyFile);
  const authority = tls.authorityFile === null ? null : await readPem(tls.authorityFile);
  return {
    server: {
      certificate,
      key,
      clientAuthority: tls.clientCertificate === 'required' ? authority : null,
    },
    channel: { authority, own: { certificate, key }, serverName: null },
  };
}

async function readToken(source: TokenSource): Promise<string> {
  if (source.kind === 'text') return source.text;
  const [line = ''] = (await readTokenFile(source.path)).split(/\r?\n/);
  if (line !== '') return line;
  const detail = `cluster_token_file ${source.path} is empty: its first line is the token`;
  throw new RpcSetupError({ code: 'RPC_TOKEN_FILE_UNUSABLE', detail });
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `cluster_token_file ${path} can't be read: ${why}`;
    throw new RpcSetupError({ code: 'RPC_TOKEN_FILE_UNUSABLE', detail }, { cause: error });
  }
}
