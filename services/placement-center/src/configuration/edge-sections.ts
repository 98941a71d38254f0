import { booleanKey, choiceKey, textKey, textListKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[tls]`: of the gRPC port, towards clients and between members. */
export interface TlsSection {
  readonly enable: boolean;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly client_certificate: 'none' | 'required';
}

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

function pemFile(what: string): SectionDeclaration<TlsSection>['keys']['cert'] {
  return textKey({
    default: '',
    allowEmpty: true,
    meaning: `A PEM file: ${what}.`,
    reason: 'Needed with enable = true.',
  });
}

/** `[etcd]`: with backend = "etcd". */
export interface EtcdSection {
  readonly endpoints: readonly string[];
}

export const etcdSection: SectionDeclaration<EtcdSection> = {
  kind: 'section',
  name: 'etcd',
  meaning: 'Where the data is kept with backend = "etcd".',
  keys: {
    endpoints: textListKey({
      default: [],
      meaning: 'The addresses of etcd, such as "http://127.0.0.1:2379".',
      reason: 'Used with backend = "etcd" only.',
    }),
  },
};
