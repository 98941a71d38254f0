/** Reads what the settings name: certificates and the cluster token. */
import { readFile } from 'node:fs/promises';
import { type ChannelTls, readPem, type ServerTls } from '@robustmq/rpc';
import type { PlacementCenterSettings, TlsSettings, TokenSource } from '../settings.ts';
import { PlacementCenterError } from '../placement-center-error.ts';

export interface Credentials {
  readonly server: ServerTls | null;
  readonly channel: ChannelTls | null;
  readonly token: string | null;
}

/** @throws RpcSetupError, PlacementCenterError for files that can't be read */
export async function readCredentials(settings: PlacementCenterSettings): Promise<Credentials> {
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
  throw new PlacementCenterError(
    'PLACEMENT_CENTER_IDENTITY',
    `cluster_token_file ${source.path} is empty: its first line is the token`,
  );
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new PlacementCenterError(
      'PLACEMENT_CENTER_IDENTITY',
      `cluster_token_file ${path} can't be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
