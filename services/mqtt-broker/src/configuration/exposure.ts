import {
  type Configuration,
  isLoopbackHost,
  type Problem,
  refusedCombination,
} from '@robustmq/config';
import type { ConfiguredListener } from './listeners.ts';
import type { BrokerConfigurationValues } from './schema.ts';

/**
 * The safety rule: a listener that others can reach needs a login, or a sentence in the
 * configuration that says it needs none.
 */
export function exposureProblems(
  listeners: readonly ConfiguredListener[],
  configuration: Configuration<BrokerConfigurationValues>,
): readonly Problem[] {
  const { auth } = configuration.values;
  if (auth.allow_anonymous_remote || auth.password_file !== '') return [];
  return listeners.flatMap(({ options, hostPath }) => {
    if (isLoopbackHost(options.host)) return [];
    const certificates = options.tls?.clientCertificate === 'required';
    if (certificates && auth.certificate_as_username) return [];
    return [
      refusedCombination(configuration, {
        key: hostPath,
        message: certificates
          ? `is "${options.host}": listener "${options.name}" asks for client certificates, but nobody is logged in by one, so every client would be refused. ` +
            'Set [auth] certificate_as_username = true, or [auth] password_file for user names beside the certificates, ' +
            'or, where the certificate is enough and no names are needed, [auth] allow_anonymous_remote = true'
          : `is "${options.host}": listener "${options.name}" would be open to other machines without a login. ` +
            'Either listen on 127.0.0.1, or set [auth] password_file (make one with `robustctl passwd FILE USER`), ' +
            'or require client certificates (tls_client_certificate = "required" with [auth] certificate_as_username = true), ' +
            'or, in a network you trust, set [auth] allow_anonymous_remote = true',
      }),
    ];
  });
}
