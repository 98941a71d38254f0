import {
  booleanKey,
  bytesKey,
  choiceKey,
  integerKey,
  integerOrWordKey,
  textKey,
  textListKey,
} from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** What every listener has in common: `[network]` says it for all, a `[[listener]]` for one. */
export interface ListenerTraits {
  readonly host: string;
  readonly tls_cert: string;
  readonly tls_key: string;
  readonly tls_ca: string;
  readonly tls_client_certificate: 'none' | 'optional' | 'required';
  readonly tls_minimum_version: 'TLSv1.2' | 'TLSv1.3';
  readonly tls_ciphers: string;
  readonly websocket_path: string;
  readonly websocket_message_bytes_max: number;
  readonly websocket_allowed_origins: readonly string[];
  readonly proxy_protocol: 'off' | 'required';
  readonly connections_max: number;
  readonly handshake_timeout_ms: number;
  readonly backlog: number;
  readonly reuse_port: boolean;
  readonly engine: 'auto' | 'raw' | 'socket';
}

export interface NetworkSection extends ListenerTraits {
  readonly tcp_port: number | 'off';
  readonly tcps_port: number | 'off';
  readonly websocket_port: number | 'off';
  readonly websockets_port: number | 'off';
}

/** The keys that `[network]` and `[[listener]]` share; declared once. */
export const listenerTraitKeys: SectionDeclaration<ListenerTraits>['keys'] = {
  host: textKey({
    default: '127.0.0.1',
    allowEmpty: false,
    meaning: 'The address to listen on. "0.0.0.0" is every IPv4 address, "::" every address.',
    reason: 'Loopback: nothing is open to the network before it is protected (see [auth]).',
    aliases: ['network.local_ip'],
  }),
  tls_cert: textKey({
    default: '',
    allowEmpty: true,
    meaning: 'The certificate chain of the TLS listeners, a PEM file. They open when it is given.',
    reason: 'There is no certificate that would be right for everybody.',
  }),
  tls_key: textKey({
    default: '',
    allowEmpty: true,
    meaning: 'The private key that belongs to tls_cert, a PEM file.',
    reason: 'Must be given along with tls_cert.',
  }),
  tls_ca: textKey({
    default: '',
    allowEmpty: true,
    meaning: 'The authorities whose client certificates are trusted, a PEM file.',
    reason: 'Needed when clients are to show certificates.',
  }),
  tls_client_certificate: choiceKey({
    default: 'none',
    choices: ['none', 'optional', 'required'],
    meaning: 'Whether clients are asked for a certificate, and refused without one.',
    reason: 'Most clients log in by password.',
  }),
  tls_minimum_version: choiceKey({
    default: 'TLSv1.2',
    choices: ['TLSv1.2', 'TLSv1.3'],
    meaning: 'The oldest TLS version that is spoken.',
    reason: 'Many devices do not speak 1.3 yet; older ones than 1.2 are broken.',
  }),
  tls_ciphers: textKey({
    default: '',
    allowEmpty: true,
    meaning: 'The cipher suites, in the notation of OpenSSL. Empty: the list of the runtime.',
    reason: 'The list of the runtime is kept up to date with it.',
  }),
  websocket_path: textKey({
    default: '/mqtt',
    allowEmpty: false,
    meaning: 'The request path of the WebSocket listeners.',
    reason: 'The path that MQTT clients use when nothing is said.',
  }),
  websocket_message_bytes_max: bytesKey({
    default: 2 ** 20,
    minimum: 1024,
    maximum: 268_435_455,
    meaning: 'The largest WebSocket message that is taken. MQTT packets may span several.',
    reason: 'As large as the largest packet; clients send one packet a message.',
  }),
  websocket_allowed_origins: textListKey({
    default: [],
    meaning: 'Web origins whose pages may connect, such as https://example.org. Empty: all.',
    reason: 'Clients that are no browsers send no origin; the login protects, not this list.',
  }),
  proxy_protocol: choiceKey({
    default: 'off',
    choices: ['off', 'required'],
    meaning: 'Whether each connection begins with a PROXY protocol header, version 1 or 2.',
    reason: 'Right only behind a load balancer that sends it: others could claim any address.',
  }),
  connections_max: integerKey({
    default: 1_000_000,
    minimum: 1,
    maximum: 10_000_000,
    meaning: 'Connections at once on one listener; one more is closed at once, and counted.',
    reason: 'The memory budget ([limits] memory_bytes_max) and file descriptors bound it earlier.',
    aliases: ['tcp_thread.max_connection_num'],
  }),
  handshake_timeout_ms: integerKey({
    default: 10_000,
    minimum: 100,
    maximum: 300_000,
    meaning: 'TLS and WebSocket handshakes and PROXY headers must be complete by then.',
    reason: 'Long enough for slow mobile links, short enough to shed idle sockets.',
    unit: 'milliseconds',
  }),
  backlog: integerKey({
    default: 4096,
    minimum: 1,
    maximum: 65535,
    meaning: 'Connections that the system may hold until they are accepted.',
    reason: 'A whole fleet reconnects at once after a restart. The system may cap it (somaxconn).',
  }),
  reuse_port: booleanKey({
    default: false,
    meaning: 'Whether several processes may listen on the same port.',
    reason: 'A second broker started by mistake is to fail, not to share clients.',
  }),
  engine: choiceKey({
    default: 'auto',
    choices: ['auto', 'raw', 'socket'],
    meaning: 'How plain TCP is read: "raw" takes the bare handle, "socket" the public interface.',
    reason: '"auto" takes the faster one where the runtime offers it.',
  }),
};

export const networkSection: SectionDeclaration<NetworkSection> = {
  kind: 'section',
  name: 'network',
  meaning: 'Listeners: one of each kind. More of them are added by [[listener]] tables.',
  keys: {
    tcp_port: portKey('MQTT over TCP', 1883),
    tcps_port: portKey('MQTT over TLS; opens only when tls_cert and tls_key are given', 8883),
    websocket_port: portKey('MQTT over WebSocket', 8083),
    websockets_port: portKey(
      'MQTT over WebSocket and TLS; opens only when tls_cert and tls_key are given',
      8084,
    ),
    ...listenerTraitKeys,
  },
};

function portKey(
  what: string,
  port: number,
): SectionDeclaration<NetworkSection>['keys']['tcp_port'] {
  return integerOrWordKey({
    default: port,
    minimum: 0,
    maximum: 65535,
    word: 'off',
    meaning: `The port for ${what}. 0 lets the system choose, "off" opens none.`,
    reason: 'The port that clients try when nothing is said.',
    unit: 'port',
  });
}
