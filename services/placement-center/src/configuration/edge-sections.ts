import {
  booleanKey,
  bytesKey,
  choiceKey,
  integerKey,
  textKey,
  textListKey,
} from '@robustmq/config';
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

/** `[log]`. */
export interface LogSection {
  readonly log_level: 'debug' | 'info' | 'warn' | 'error';
  readonly log_format: 'auto' | 'json' | 'pretty';
  readonly log_path: string;
  readonly log_segment_size: number;
  readonly log_file_num: number;
}

export const logSection: SectionDeclaration<LogSection> = {
  kind: 'section',
  name: 'log',
  meaning: 'The log. A foreground process writes it to standard output.',
  keys: {
    log_level: choiceKey({
      default: 'info',
      choices: ['debug', 'info', 'warn', 'error'],
      meaning: 'The least severe entries that are written.',
      reason: 'Changes of leader and members are at "info".',
    }),
    log_format: choiceKey({
      default: 'auto',
      choices: ['auto', 'json', 'pretty'],
      meaning: '"json": one object a line. "pretty": for people. "auto": pretty on a terminal.',
      reason: 'Log collectors read JSON.',
    }),
    log_path: textKey({
      default: 'logs',
      allowEmpty: false,
      meaning: 'The directory of the log file of a process started with --daemon.',
      reason: 'Relative to the working directory, beside data.',
      aliases: ['log_path'],
    }),
    log_segment_size: bytesKey({
      default: 64 * 2 ** 20,
      minimum: 64 * 1024,
      maximum: 2 ** 40,
      meaning: 'The size at which the log file is set aside and a new one begun.',
      reason: 'Small enough to open in an editor.',
      aliases: ['log_segment_size'],
    }),
    log_file_num: integerKey({
      default: 8,
      minimum: 1,
      maximum: 10_000,
      meaning: 'Log files that are kept, the current one included; the oldest is removed.',
      reason: 'With log_segment_size it bounds the disk that logs take.',
      aliases: ['log_file_num'],
    }),
  },
};
