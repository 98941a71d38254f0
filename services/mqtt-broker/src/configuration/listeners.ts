import { type Configuration, type Problem, refusedCombination } from '@robustmq/config';
import type { ListenerOptions } from '@robustmq/transport';
import type { ListenerRow } from './listener-rows.ts';
import type { ListenerTraits } from './network-section.ts';
import type { BrokerConfigurationValues } from './schema.ts';

/** A listener along with the dotted path of the keys that ask for it. */
export interface ConfiguredListener {
  readonly options: ListenerOptions;
  /** Where its port is written: `network.tcp_port` or `listener.0.port`. */
  readonly portPath: string;
  /** Where its address is written. */
  readonly hostPath: string;
  readonly traits: ListenerTraits;
}

type Kind = ListenerOptions['kind'];

/** The listeners of `[network]`, then those of `[[listener]]`, in the order of the file. */
export function configuredListeners(
  configuration: Configuration<BrokerConfigurationValues>,
): readonly ConfiguredListener[] {
  const { network, listeners } = configuration.values;
  const hasCertificate = network.tls_cert !== '';
  const simple: readonly (readonly [string, Kind, string, number | 'off'])[] = [
    ['tcp', 'tcp', 'network.tcp_port', network.tcp_port],
    ['tls', 'tls', 'network.tcps_port', hasCertificate ? network.tcps_port : 'off'],
    ['websocket', 'websocket', 'network.websocket_port', network.websocket_port],
    [
      'websocket-tls',
      'websocket-tls',
      'network.websockets_port',
      hasCertificate ? network.websockets_port : 'off',
    ],
  ];
  const ofNetwork = simple.flatMap(([name, kind, portPath, port]) =>
    port === 'off' ? [] : [listenerOf({ ...network, name, kind, port }, portPath, 'network.host')],
  );
  const ofRows = listeners.map((row, index) => {
    const path = `listener.${String(index)}`;
    return listenerOf(
      rowOver(network, row),
      `${path}.port`,
      row.host === undefined ? 'network.host' : `${path}.host`,
    );
  });
  return [...ofNetwork, ...ofRows];
}

/** What is wrong with listeners taken together. */
export function listenerProblems(
  listeners: readonly ConfiguredListener[],
  configuration: Configuration<BrokerConfigurationValues>,
): readonly Problem[] {
  const problems: Problem[] = [];
  const refuse = (key: string, message: string): void => {
    problems.push(refusedCombination(configuration, { key, message }));
  };
  if (listeners.length === 0) {
    refuse(
      'network.tcp_port',
      'opens no listener, and neither does any other key: no client could connect',
    );
  }
  const names = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const { options, portPath } of listeners) {
    const sameName = names.get(options.name);
    if (sameName !== undefined) {
      refuse(
        portPath,
        `belongs to a listener named "${options.name}", as does ${sameName}; names must differ`,
      );
    }
    names.set(options.name, portPath);
    if (options.port === 0) continue;
    const address = `${options.host}:${String(options.port)}`;
    const sameAddress = addresses.get(address);
    if (sameAddress !== undefined)
      refuse(
        portPath,
        `is ${String(options.port)}, which ${sameAddress} uses already on ${options.host}`,
      );
    addresses.set(address, portPath);
  }
  for (const listener of listeners)
    for (const [key, message] of tlsFaults(listener)) refuse(key, message);
  return problems;
}

function tlsFaults({ options, traits, portPath }: ConfiguredListener): [string, string][] {
  if (options.kind !== 'tls' && options.kind !== 'websocket-tls') return [];
  const faults: [string, string][] = [];
  const place = portPath.startsWith('network.') ? 'network' : portPath.replace(/\.port$/, '');
  if (traits.tls_cert === '')
    faults.push([
      `${place}.tls_cert`,
      `is missing: listener "${options.name}" speaks TLS and needs tls_cert and tls_key`,
    ]);
  else if (traits.tls_key === '')
    faults.push([
      `${place}.tls_key`,
      `is missing: listener "${options.name}" has tls_cert but no private key`,
    ]);
  if (traits.tls_client_certificate !== 'none' && traits.tls_ca === '') {
    faults.push([
      `${place}.tls_ca`,
      `is missing: listener "${options.name}" asks clients for certificates (tls_client_certificate = "${traits.tls_client_certificate}") but trusts no authority`,
    ]);
  }
  return faults;
}

function rowOver(
  network: ListenerTraits,
  row: ListenerRow,
): ListenerTraits & { readonly name: string; readonly kind: Kind; readonly port: number } {
  return { ...network, ...row };
}

function listenerOf(
  source: ListenerTraits & { readonly name: string; readonly kind: Kind; readonly port: number },
  portPath: string,
  hostPath: string,
): ConfiguredListener {
  const speaksTls = source.kind === 'tls' || source.kind === 'websocket-tls';
  const speaksWebSocket = source.kind === 'websocket' || source.kind === 'websocket-tls';
  const origins = source.websocket_allowed_origins;
  const options: ListenerOptions = {
    name: source.name,
    kind: source.kind,
    host: source.host,
    port: source.port,
    backlog: source.backlog,
    reusePort: source.reuse_port,
    connectionsMax: source.connections_max,
    proxyProtocol: source.proxy_protocol,
    handshakeTimeoutMs: source.handshake_timeout_ms,
    engine: source.engine,
    tls: speaksTls ? tlsOf(source) : null,
    websocket: speaksWebSocket
      ? {
          path: source.websocket_path,
          messageBytesMax: source.websocket_message_bytes_max,
          allowedOrigins: origins.length === 0 ? null : origins,
        }
      : null,
  };
  return { options, portPath, hostPath, traits: source };
}

function tlsOf(traits: ListenerTraits): ListenerOptions['tls'] {
  return {
    certificateFile: traits.tls_cert,
    privateKeyFile: traits.tls_key,
    certificateAuthorityFile: traits.tls_ca === '' ? null : traits.tls_ca,
    clientCertificate: traits.tls_client_certificate,
    minimumVersion: traits.tls_minimum_version,
    ciphers: traits.tls_ciphers === '' ? null : traits.tls_ciphers,
  };
}
