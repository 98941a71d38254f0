import { type Connect, type Properties, ReasonCode } from '@robustmq/mqtt-codec';

/** What the broker offers, as far as CONNECT and CONNACK speak of it. */
export interface ServerOffer {
  readonly minimumVersion: 3 | 4 | 5;
  readonly maximumQos: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  readonly wildcardSubscriptionAvailable: boolean;
  readonly subscriptionIdentifiersAvailable: boolean;
  readonly sharedSubscriptionAvailable: boolean;
  readonly maximumPacketSizeBytes: number;
  readonly receiveMaximum: number;
  readonly topicAliasMaximum: number;
  readonly topicAliasMaximumOutbound: number;
  readonly serverKeepAliveSeconds: number;
  readonly keepAliveSecondsMax: number;
  readonly sessionExpirySecondsMax: number;
  readonly responseInformation: string;
  readonly clientIdBytesMax: number;
  readonly inflightMessagesMax: number;
}

/** Never expires (MQTT-5.0 §3.1.2.11.2). */
export const SESSION_NEVER_EXPIRES = 0xffffffff;
const PACKET_SIZE_UNLIMITED = 268_435_460;

/** The terms that hold for one connection. */
export interface ConnectionTerms {
  /** 0 turns the check off (MQTT-5.0 §3.1.2.10). */
  readonly keepAliveSeconds: number;
  readonly sessionExpirySeconds: number;
  /** How many QoS 1 and 2 messages we may have open towards the client. */
  readonly sendMaximum: number;
  readonly maximumPacketSizeOutbound: number;
  readonly topicAliasMaximumOutbound: number;
  readonly requestProblemInformation: boolean;
  /** Properties for CONNACK, except Assigned Client Identifier and authentication. */
  readonly connackProperties: Properties;
}

/** The answer to a CONNECT; a refusal carries the 5.0 reason code and its words for CONNACK. */
export type Negotiation =
  | { readonly verdict: 'accept'; readonly terms: ConnectionTerms }
  | { readonly verdict: 'refuse'; readonly reasonCode: number; readonly reason: string };

/** Decides on a decoded CONNECT before anybody is authenticated. */
export function negotiateConnect(connect: Connect, offer: ServerOffer): Negotiation {
  const refusal = refusalOf(connect, offer);
  if (refusal !== null) return refusal;
  const keepAliveSeconds = keepAliveOf(connect, offer);
  const sessionExpirySeconds = sessionExpiryOf(connect, offer);
  const properties = connect.properties;
  return {
    verdict: 'accept',
    terms: {
      keepAliveSeconds,
      sessionExpirySeconds,
      // MQTT-5.0 [MQTT-4.9.0-1].
      sendMaximum: Math.min(properties.receiveMaximum ?? 65535, offer.inflightMessagesMax),
      maximumPacketSizeOutbound: properties.maximumPacketSizeBytes ?? PACKET_SIZE_UNLIMITED,
      // MQTT-5.0 [MQTT-3.1.2-26], [MQTT-3.1.2-27].
      topicAliasMaximumOutbound: Math.min(
        properties.topicAliasMaximum ?? 0,
        offer.topicAliasMaximumOutbound,
      ),
      requestProblemInformation: properties.requestProblemInformation ?? true,
      connackProperties:
        connect.version === 5
          ? connackPropertiesOf(connect, offer, { keepAliveSeconds, sessionExpirySeconds })
          : {},
    },
  };
}

function refusalOf(connect: Connect, offer: ServerOffer): Negotiation | null {
  // MQTT-5.0 [MQTT-3.1.2-2].
  if (connect.version < offer.minimumVersion) {
    return refuse(ReasonCode.unsupportedProtocolVersion, `protocol level ${connect.version}`);
  }
  // A 3.x server refuses an empty client identifier unless the session is clean
  // (MQTT-3.1.1 [MQTT-3.1.3-8]); MQTT 3.1 wants one always, but servers assign one as for 3.1.1.
  if (connect.version < 5 && connect.clientId === '' && !connect.cleanStart) {
    return refuse(
      ReasonCode.clientIdentifierNotValid,
      'empty client identifier without clean session',
    );
  }
  // A server takes at least 1 to 23 bytes (MQTT-5.0 [MQTT-3.1.3-5]), and says no with 0x85 ([MQTT-3.1.3-8]).
  if (utf8Length(connect.clientId) > offer.clientIdBytesMax) {
    return refuse(
      ReasonCode.clientIdentifierNotValid,
      `client identifier longer than ${offer.clientIdBytesMax} bytes`,
    );
  }
  const will = connect.will;
  if (will === null) return null;
  // MQTT-5.0 [MQTT-3.2.2-12] and [MQTT-3.2.2-13].
  if (will.qos > offer.maximumQos)
    return refuse(ReasonCode.qosNotSupported, `will QoS ${will.qos}`);
  if (will.retain && !offer.retainAvailable) {
    return refuse(ReasonCode.retainNotSupported, 'will message with retain');
  }
  return null;
}

function refuse(reasonCode: number, reason: string): Negotiation {
  return { verdict: 'refuse', reasonCode, reason };
}

function keepAliveOf(connect: Connect, offer: ServerOffer): number {
  const cap = keepAliveCapOf(connect, offer);
  // MQTT-5.0 [MQTT-3.2.2-22].
  if (cap === 0) return connect.keepAliveSeconds;
  if (connect.keepAliveSeconds === 0 || connect.keepAliveSeconds > cap) return cap;
  return connect.keepAliveSeconds;
}

/** A 3.x client can't be told of Server Keep Alive, so only the silence tolerated at most concerns it. */
function keepAliveCapOf(connect: Connect, offer: ServerOffer): number {
  const { serverKeepAliveSeconds, keepAliveSecondsMax } = offer;
  if (connect.version !== 5 || serverKeepAliveSeconds === 0) return keepAliveSecondsMax;
  if (keepAliveSecondsMax === 0) return serverKeepAliveSeconds;
  return Math.min(serverKeepAliveSeconds, keepAliveSecondsMax);
}

/** Session expiry interval in force; a 3.x session lasts for ever or not at all (MQTT-5.0 §3.1.2.11.2). */
function sessionExpiryOf(connect: Connect, offer: ServerOffer): number {
  const wanted =
    connect.version === 5
      ? (connect.properties.sessionExpiryIntervalSeconds ?? 0)
      : connect.cleanStart
        ? 0
        : SESSION_NEVER_EXPIRES;
  return Math.min(wanted, offer.sessionExpirySecondsMax);
}

function connackPropertiesOf(
  connect: Connect,
  offer: ServerOffer,
  terms: { readonly keepAliveSeconds: number; readonly sessionExpirySeconds: number },
): Properties {
  const wantedExpiry = connect.properties.sessionExpiryIntervalSeconds ?? 0;
  return {
    ...(terms.sessionExpirySeconds === wantedExpiry
      ? {}
      : { sessionExpiryIntervalSeconds: terms.sessionExpirySeconds }),
    ...(offer.receiveMaximum === 65535 ? {} : { receiveMaximum: offer.receiveMaximum }),
    // MQTT-5.0 [MQTT-3.2.2-9].
    ...(offer.maximumQos === 2 ? {} : { maximumQos: offer.maximumQos }),
    ...(offer.retainAvailable ? {} : { retainAvailable: false }),
    maximumPacketSizeBytes: offer.maximumPacketSizeBytes,
    ...(offer.topicAliasMaximum === 0 ? {} : { topicAliasMaximum: offer.topicAliasMaximum }),
    ...(offer.wildcardSubscriptionAvailable ? {} : { wildcardSubscriptionAvailable: false }),
    ...(offer.subscriptionIdentifiersAvailable ? {} : { subscriptionIdentifiersAvailable: false }),
    ...(offer.sharedSubscriptionAvailable ? {} : { sharedSubscriptionAvailable: false }),
    // The client uses it from now on (MQTT-5.0 [MQTT-3.1.2-21]).
    ...(terms.keepAliveSeconds === connect.keepAliveSeconds
      ? {}
      : { serverKeepAliveSeconds: terms.keepAliveSeconds }),
    // MQTT-5.0 [MQTT-3.1.2-28].
    ...(connect.properties.requestResponseInformation === true && offer.responseInformation !== ''
      ? { responseInformation: offer.responseInformation }
      : {}),
  };
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      bytes += 4;
      index += 1;
    } else bytes += 3;
  }
  return bytes;
}
