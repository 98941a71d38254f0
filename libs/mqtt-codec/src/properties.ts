/**
 * The properties of a packet (MQTT-5.0 §2.2.2), each present at most once except user properties and,
 * in a PUBLISH of the server, subscription identifiers. Absent means absent: no default is filled in.
 */
export interface Properties {
  readonly payloadFormatIndicator?: 0 | 1;
  readonly messageExpiryIntervalSeconds?: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  readonly subscriptionIdentifiers?: readonly number[];
  readonly sessionExpiryIntervalSeconds?: number;
  readonly assignedClientIdentifier?: string;
  readonly serverKeepAliveSeconds?: number;
  readonly authenticationMethod?: string;
  readonly authenticationData?: Uint8Array;
  readonly requestProblemInformation?: boolean;
  readonly willDelayIntervalSeconds?: number;
  readonly requestResponseInformation?: boolean;
  readonly responseInformation?: string;
  readonly serverReference?: string;
  readonly reasonString?: string;
  readonly receiveMaximum?: number;
  readonly topicAliasMaximum?: number;
  readonly topicAlias?: number;
  readonly maximumQos?: 0 | 1;
  readonly retainAvailable?: boolean;
  /** In the order of the packet, repeated names included (MQTT-5.0 [MQTT-3.3.2-18]). */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
  readonly maximumPacketSizeBytes?: number;
  readonly wildcardSubscriptionAvailable?: boolean;
  readonly subscriptionIdentifiersAvailable?: boolean;
  readonly sharedSubscriptionAvailable?: boolean;
}

/** No properties: shared, so that 3.x packets cost nothing. */
export const NO_PROPERTIES: Properties = Object.freeze({});
