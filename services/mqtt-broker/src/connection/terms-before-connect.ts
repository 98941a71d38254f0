import { NO_PROPERTIES } from '@robustmq/mqtt-codec';
import type { ConnectionTerms } from '@robustmq/mqtt-session';

/** What holds until a CONNECT was negotiated. */
export const TERMS_BEFORE_CONNECT: ConnectionTerms = {
  keepAliveSeconds: 0,
  sessionExpirySeconds: 0,
  sendMaximum: 1,
  maximumPacketSizeOutbound: 268_435_460,
  topicAliasMaximumOutbound: 0,
  requestProblemInformation: true,
  connackProperties: NO_PROPERTIES,
};
