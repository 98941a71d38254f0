import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from './connection.ts';

export type ClientCertificateCheck =
  | { readonly kind: 'accepted'; readonly certificate: ClientCertificate | null }
  /** One was presented that our certificate authority does not vouch for. */
  | { readonly kind: 'unverified' };

/** Looks at what the client presented. Only a verified certificate is ever told to the protocol. */
export function checkClientCertificate(socket: TLSSocket): ClientCertificateCheck {
  const presented = socket.getPeerX509Certificate();
  if (presented === undefined) return { kind: 'accepted', certificate: null };
  if (!socket.authorized) return { kind: 'unverified' };
  const commonNames = presented.subject
    ?.split('\n')
    .filter((line) => line.startsWith('CN='))
    .map((line) => line.slice('CN='.length));
  return {
    kind: 'accepted',
    certificate: {
      commonName: commonNames?.length === 1 ? (commonNames[0] ?? null) : null,
      subjectAltNames: splitAltNames(presented.subjectAltName ?? ''),
      fingerprint256: presented.fingerprint256,
    },
  };
}

/**
 * Splits the text that Node makes of a subjectAltName: entries joined by `, `, where an entry that
 * holds a comma or a quote has its value written as a JSON string.
 */
export function splitAltNames(text: string): readonly string[] {
  const names: string[] = [];
  let entry = '';
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] as string;
    if (quoted && character === '\\') {
      entry += character + (text[index + 1] ?? '');
      index += 1;
    } else if (!quoted && character === ',') {
      names.push(unquoted(entry.trim()));
      entry = '';
    } else {
      if (character === '"') quoted = !quoted;
      entry += character;
    }
  }
  if (entry.trim() !== '') names.push(unquoted(entry.trim()));
  return names;
}

function unquoted(entry: string): string {
  const colon = entry.indexOf(':');
  const value = entry.slice(colon + 1);
  if (!value.startsWith('"')) return entry;
  try {
    return `${entry.slice(0, colon)}:${String(JSON.parse(value))}`;
  } catch {
    return entry; // The quoted form is unambiguous too; it matches no rule by accident.
  }
}
