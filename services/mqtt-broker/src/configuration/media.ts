/** The sections of the media that keep the journal elsewhere, and whether the chosen one can work. */
import type { Configuration, Problem } from '@robustmq/config';
import type { MediaSettings } from '../media-settings.ts';
import { jetStreamMedium } from './jetstream-section.ts';
import type { JetStreamSection } from './jetstream-section.ts';
import { postgresMedium } from './postgres-section.ts';
import type { PostgresSection } from './postgres-section.ts';
import type { BrokerConfigurationValues } from './schema.ts';

export function mediaSettings(values: BrokerConfigurationValues): MediaSettings {
  return {
    jetstream: jetStreamMedium(values.jetstream),
    postgres: postgresMedium(values.postgres),
  };
}

/** What is missing or impossible for the medium that [storage] storage_type names. */
export function mediaProblems(
  configuration: Configuration<BrokerConfigurationValues>,
): readonly Problem[] {
  return faultsOf(configuration.values).map(([key, message]) => {
    const origin = configuration.originOf(key);
    return { severity: 'error', code: 'CONFIG_COMBINATION_REFUSED', origin, key, message };
  });
}

/** Keys, and what is wrong with each. */
type Faults = [key: string, message: string][];

function faultsOf({ storage, jetstream, postgres }: BrokerConfigurationValues): Faults {
  switch (storage.storage_type) {
    case 'jetstream':
      return jetStreamFaults(jetstream);
    case 'postgres':
      return postgresFaults(postgres);
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
