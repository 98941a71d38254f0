/** The sections of the media that keep the journal elsewhere, and whether the chosen one can work. */
import { type Configuration, type Problem, refusedCombination } from '@robustmq/config';
import type { MediaSettings } from '../media-settings.ts';
import { jetStreamMedium } from './jetstream-section.ts';
import type { JetStreamSection } from './jetstream-section.ts';
import { postgresMedium } from './postgres-section.ts';
import type { PostgresSection } from './postgres-section.ts';
import { s3Medium } from './s3-section.ts';
import type { S3Section } from './s3-section.ts';
import type { BrokerConfigurationValues } from './schema.ts';

export function mediaSettings(values: BrokerConfigurationValues): MediaSettings {
  return {
    jetstream: jetStreamMedium(values.jetstream),
    postgres: postgresMedium(values.postgres),
    s3: s3Medium(values.s3),
  };
}

/** What is missing or impossible for the medium that [storage] storage_type names. */
export function mediaProblems(
  configuration: Configuration<BrokerConfigurationValues>,
): readonly Problem[] {
  return faultsOf(configuration.values).map(([key, message]) =>
    refusedCombination(configuration, { key, message }),
  );
}

/** Keys, and what is wrong with each. */
type Faults = [key: string, message: string][];

function faultsOf({ storage, jetstream, postgres, s3 }: BrokerConfigurationValues): Faults {
  switch (storage.storage_type) {
    case 'jetstream':
      return jetStreamFaults(jetstream);
    case 'postgres':
      return postgresFaults(postgres);
    case 's3':
      return s3Faults(s3);
    default:
      return [];
  }
}

function jetStreamFaults({ servers, prefix, user, token }: JetStreamSection): Faults {
  const faults: Faults = [];
  if (servers.length === 0) {
    faults.push(['jetstream.servers', 'is empty: storage_type = "jetstream" needs a server']);
  }
  if (servers.some((server) => server.includes('@'))) {
    const message = 'holds a password: give it as jetstream.user and jetstream.password';
    faults.push(['jetstream.servers', message]);
  }
  if (!/^[A-Za-z0-9-]+$/.test(prefix)) {
    const message = `is ${JSON.stringify(prefix)}, which holds more than letters, digits and "-"`;
    faults.push(['jetstream.prefix', message]);
  }
  if (user !== '' && token !== '') {
    faults.push(['jetstream.token', 'is set beside jetstream.user: NATS takes one of them']);
  }
  return faults;
}

function postgresFaults({ host, schema }: PostgresSection): Faults {
  const faults: Faults = [];
  if (host === '') {
    faults.push(['postgres.host', 'is empty: storage_type = "postgres" needs a server']);
  }
  if (!/^[a-z_][a-z0-9_]*$/.test(schema)) {
    const message = `is ${JSON.stringify(schema)}, which holds more than small letters, digits and "_"`;
    faults.push(['postgres.schema', message]);
  }
  return faults;
}

function s3Faults({ bucket, prefix, access_key_id, secret_access_key }: S3Section): Faults {
  const faults: Faults = [];
  if (bucket === '') faults.push(['s3.bucket', 'is empty: storage_type = "s3" needs a bucket']);
  if (prefix.startsWith('/') || prefix.endsWith('/')) {
    const message = `is ${JSON.stringify(prefix)}: leave the slash at its beginning or end away`;
    faults.push(['s3.prefix', message]);
  }
  if ((access_key_id === '') !== (secret_access_key === '')) {
    faults.push(['s3.access_key_id', 'and s3.secret_access_key go together: set both or none']);
  }
  return faults;
}
