import { booleanKey, choiceKey, textKey } from './key-kinds.ts';
import type { KeyDeclaration } from './key.ts';
import type { SectionDeclaration } from './schema.ts';

/** `[tls]`: of the gRPC port of a member of a cluster, towards clients and between members. */
export interface TlsSection {
  readonly enable: boolean;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly client_certificate: 'none' | 'required';
}

/** The same in every process whose gRPC port is open to others of its cluster. */
export const tlsSection: SectionDeclaration<TlsSection> = {
  kind: 'section',
  name: 'tls',
  meaning: 'TLS on the gRPC port, towards clients and between members.',
  keys: {
    enable: booleanKey({
      default: false,
      meaning: 'Whether the gRPC port speaks TLS. All members say the same.',
      reason: 'Without it the cluster token crosses the network in clear.',
    }),
    cert: pemFile('the certificate of this member, with its chain; it names the host in nodes'),
    key: pemFile('its private key'),
    ca: pemFile('the authorities that members and clients are checked against'),
    client_certificate: choiceKey({
      default: 'none',
      choices: ['none', 'required'],
      meaning: 'Whether clients and other members must show a certificate of ca.',
      reason: 'Members show their own one.',
    }),
  },
};

function pemFile(what: string): KeyDeclaration<string> {
  return textKey({
    default: '',
    allowEmpty: true,
    meaning: `A PEM file: ${what}.`,
    reason: 'Needed with enable = true.',
  });
}
