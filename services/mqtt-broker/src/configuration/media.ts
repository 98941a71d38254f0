/** The sections of the media that keep the journal elsewhere, and whether the chosen one can work. */
import type { Configuration, Problem } from '@robustmq/config';
import type { MediaSettings } from '../media-settings.ts';
import { jetStreamMedium } from './jetstream-section.ts';
import type { BrokerConfigurationValues } from './schema.ts';

export function mediaSettings(values: BrokerConfigurationValues): MediaSettings {
  return { jetstream: jetStreamMedium(values.jetstream) };
}

/** What is missing or impossible for the medium that [storage] storage_type names. */
export function mediaProblems(
  configuration: Configuration<BrokerConfigurationValues>,
): readonly Problem[] {
  const { storage, jetstream } = configuration.values;
  const problems: Problem[] = [];
  const refuse = (key: string, message: string): void => {
    const origin = configuration.originOf(key);
    problems.push({ severity: 'error', code: 'CONFIG_COMBINATION_REFUSED', origin, key, message });
  };
  if (storage.storage_type === 'jetstream') {
    if (jetstream.servers.length === 0) {
      refuse('jetstream.servers', 'is empty: [storage] storage_type = "jetstream" needs a server');
    }
    if (!/^[A-Za-z0-9-]+$/.test(jetstream.prefix)) {
      refuse(
        'jetstream.prefix',
        `is "${jetstream.prefix}", which holds more than letters, digits and "-"`,
      );
    }
    if (jetstream.user !== '' && jetstream.token !== '') {
      refuse('jetstream.token', 'is set beside jetstream.user: NATS takes one of them');
    }
    if (jetstream.servers.some((server) => server.includes('@'))) {
      refuse(
        'jetstream.servers',
        'holds a password: give it as jetstream.user and jetstream.password',
      );
    }
  }
  return problems;
}
