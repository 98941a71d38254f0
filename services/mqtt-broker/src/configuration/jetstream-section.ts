import { choiceKey, integerKey, textKey, textListKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';
import type { JetStreamMedium } from '../media-settings.ts';

/** `[jetstream]`: the NATS servers that keep the journal, for storage_type = "jetstream". */
export interface JetStreamSection {
  readonly servers: readonly string[];
  readonly user: string;
  readonly password: string;
  readonly token: string;
  readonly tls_ca: string;
  readonly tls_cert: string;
  readonly tls_key: string;
  readonly prefix: string;
  readonly replicas: '1' | '3' | '5';
  readonly server_flush: 'interval' | 'always';
  readonly request_timeout_ms: number;
  readonly write_timeout_ms: number;
}

const NOT_USED = 'Of no use with another storage_type.';

export const jetStreamSection: SectionDeclaration<JetStreamSection> = {
  kind: 'section',
  name: 'jetstream',
  meaning: 'The NATS servers that keep the journal, with storage_type = "jetstream".',
  keys: {
    servers: textListKey({
      default: [],
      meaning: 'The servers, each as host:port. One that answers is enough.',
      reason: NOT_USED,
    }),
    user: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'The user of NATS. Empty: none.',
      reason: NOT_USED,
    }),
    password: textKey({
      default: '',
      allowEmpty: true,
      secret: true,
      meaning: 'The password of that user.',
      reason: 'Better given by its environment variable than written to a file.',
    }),
    token: textKey({
      default: '',
      allowEmpty: true,
      secret: true,
      meaning: 'A token of NATS instead of a user. Empty: none.',
      reason: 'Better given by its environment variable than written to a file.',
    }),
    tls_ca: textKey({
      default: '',
      allowEmpty: true,
      meaning:
        "File with the authorities of the servers' certificates. Empty: no TLS unless the servers ask for it.",
      reason: 'Without TLS passwords and messages are read by whoever is on the way.',
    }),
    tls_cert: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'File with the certificate that is shown to the servers. Empty: none.',
      reason: NOT_USED,
    }),
    tls_key: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'File with the private key of that certificate.',
      reason: NOT_USED,
    }),
    prefix: textKey({
      default: 'robustmq',
      allowEmpty: false,
      meaning: 'What the names of streams and subjects begin with: letters, digits and "-".',
      reason:
        'Two brokers that share servers need two prefixes: the later one takes the stream over.',
    }),
    replicas: choiceKey({
      default: '3',
      choices: ['1', '3', '5'],
      meaning: 'How many servers keep each message.',
      reason: 'With three, one server may be lost. Fixed when the stream is made.',
    }),
    server_flush: choiceKey({
      default: 'interval',
      choices: ['interval', 'always'],
      meaning:
        'What the servers do before they acknowledge. "always": they flush (sync_interval: always in their configuration, from version 2.10 on). "interval": they flush every two minutes.',
      reason:
        'The servers can\'t be asked. With "interval" a loss of power of most servers at once loses acknowledged messages; the broker warns at its start.',
    }),
    request_timeout_ms: integerKey({
      default: 5000,
      minimum: 100,
      maximum: 600_000,
      unit: 'milliseconds',
      meaning: 'How long the servers may take for one answer.',
      reason: 'Shorter than the election of a leader, about 4 s, it is asked again in vain.',
    }),
    write_timeout_ms: integerKey({
      default: 30_000,
      minimum: 100,
      maximum: 600_000,
      unit: 'milliseconds',
      meaning: 'How long a write is tried before the broker stops, as it does when a disk fails.',
      reason: 'Servers that change their leader take a few seconds.',
    }),
  },
};

export function jetStreamMedium(section: JetStreamSection): JetStreamMedium {
  const { user, password, token, tls_ca, tls_cert, tls_key } = section;
  const tls = {
    ...(tls_ca === '' ? {} : { caFile: tls_ca }),
    ...(tls_cert === '' ? {} : { certFile: tls_cert }),
    ...(tls_key === '' ? {} : { keyFile: tls_key }),
  };
  return {
    servers: section.servers,
    ...(user === '' ? {} : { user, password }),
    ...(token === '' ? {} : { token }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    prefix: section.prefix,
    replicas: section.replicas === '1' ? 1 : section.replicas === '3' ? 3 : 5,
    serverFlush: section.server_flush,
    requestTimeoutMs: section.request_timeout_ms,
    writeTimeoutMs: section.write_timeout_ms,
  };
}
