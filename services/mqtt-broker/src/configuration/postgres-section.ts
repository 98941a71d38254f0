import { integerKey, textKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';
import type { PostgresMedium } from '../media-settings.ts';

/** `[postgres]`: the PostgreSQL that keeps the journal, for storage_type = "postgres". */
export interface PostgresSection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls_ca: string;
  readonly schema: string;
  readonly request_timeout_ms: number;
  readonly write_timeout_ms: number;
}

const NOT_USED = 'Of no use with another storage_type.';

export const postgresSection: SectionDeclaration<PostgresSection> = {
  kind: 'section',
  name: 'postgres',
  meaning: 'The PostgreSQL that keeps the journal, with storage_type = "postgres".',
  keys: {
    host: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'Its name or address, or the directory of its Unix socket.',
      reason: NOT_USED,
    }),
    port: integerKey({
      default: 5432,
      minimum: 1,
      maximum: 65_535,
      meaning: 'Its port.',
      reason: 'PostgreSQL listens there by default.',
    }),
    database: textKey({
      default: 'robustmq',
      allowEmpty: false,
      meaning: 'The database. It must exist.',
      reason: NOT_USED,
    }),
    user: textKey({
      default: 'robustmq',
      allowEmpty: false,
      meaning: 'The user. It must be allowed to make a schema, or own the tables.',
      reason: NOT_USED,
    }),
    password: textKey({
      default: '',
      allowEmpty: true,
      secret: true,
      meaning: 'The password. Empty: none.',
      reason: 'Better given by its environment variable than written to a file.',
    }),
    tls_ca: textKey({
      default: '',
      allowEmpty: true,
      meaning: "File with the authorities of the server's certificate. Empty: no TLS.",
      reason: 'Without TLS messages are read by whoever is on the way.',
    }),
    schema: textKey({
      default: 'robustmq',
      allowEmpty: false,
      meaning: 'The schema of the tables: small letters, digits and "_".',
      reason:
        'Two brokers that share a database need two schemas: the later one takes the shard over.',
    }),
    request_timeout_ms: integerKey({
      default: 10_000,
      minimum: 500,
      maximum: 600_000,
      unit: 'milliseconds',
      meaning: 'How long one statement may take.',
      reason: 'Then it is cancelled and tried again.',
    }),
    write_timeout_ms: integerKey({
      default: 30_000,
      minimum: 500,
      maximum: 600_000,
      unit: 'milliseconds',
      meaning: 'How long a write is tried before the broker stops, as it does when a disk fails.',
      reason: 'A server that restarts, or hands over to its standby, takes a few seconds.',
    }),
  },
};

export function postgresMedium(section: PostgresSection): PostgresMedium {
  const { host, port, database, user, password, tls_ca, schema } = section;
  return {
    host,
    port,
    database,
    user,
    ...(password === '' ? {} : { password }),
    ...(tls_ca === '' ? {} : { tlsCaFile: tls_ca }),
    schema,
    requestTimeoutMs: section.request_timeout_ms,
    writeTimeoutMs: section.write_timeout_ms,
  };
}
