/**
 * What the broker counts while it works: one flat object of numbers.
 *
 * The hot path writes `counters.publishReceivedQos0 += 1` and nothing else: no call, no label, no
 * allocation. Names, help and labels are put on at scrape time by `metric-catalogue.ts`. Every
 * object has the same shape because all fields are set, in this order, by the one constructor.
 *
 * All fields count from the start of the process and only grow.
 */
export class BrokerCounters {
  connectReceived = 0;
  publishReceivedQos0 = 0;
  publishReceivedQos1 = 0;
  publishReceivedQos2 = 0;
  pubackReceived = 0;
  pubrecReceived = 0;
  pubrelReceived = 0;
  pubcompReceived = 0;
  subscribeReceived = 0;
  unsubscribeReceived = 0;
  pingreqReceived = 0;
  disconnectReceived = 0;
  authReceived = 0;

  connackSent = 0;
  publishSentQos0 = 0;
  publishSentQos1 = 0;
  publishSentQos2 = 0;
  pubackSent = 0;
  pubrecSent = 0;
  pubrelSent = 0;
  pubcompSent = 0;
  subackSent = 0;
  unsubackSent = 0;
  pingrespSent = 0;
  disconnectSent = 0;
  authSent = 0;

  /** Bytes of MQTT packets, without TLS and WebSocket framing. */
  bytesReceived = 0;
  bytesSent = 0;

  /** A QoS 0 message for a client whose queue or socket buffer is full. */
  droppedQueueFullQos0 = 0;
  /** A QoS 1 or 2 message for a client whose queue is full. */
  droppedQueueFull = 0;
  /** The Message Expiry Interval passed before delivery (MQTT-5.0 §3.3.2.3.3). */
  droppedExpired = 0;
  /** A published message that no subscription matched. */
  droppedNoSubscriber = 0;
  /** A published message refused, or a delivery withheld, by an access rule. */
  droppedNotAuthorized = 0;
  /** Larger than the client's Maximum Packet Size (MQTT-5.0 [MQTT-3.1.2-25]). */
  droppedTooLarge = 0;
  /** Removed by retention before a session could read it. */
  droppedTrimmed = 0;

  connectsAccepted = 0;
  connectsRefusedMalformed = 0;
  connectsRefusedUnsupportedVersion = 0;
  connectsRefusedClientIdentifier = 0;
  connectsRefusedCredentials = 0;
  connectsRefusedNotAuthorized = 0;
  connectsRefusedBusy = 0;
  connectsRefusedRate = 0;
  connectsRefusedOther = 0;
  /** A CONNECT refused because client, user or address is banned; not part of the refusals above. */
  connectsRefusedBanned = 0;

  disconnectsByClient = 0;
  disconnectsByClientWithWill = 0;
  disconnectsConnectionLost = 0;
  disconnectsKeepAliveTimeout = 0;
  disconnectsTakenOver = 0;
  disconnectsProtocolError = 0;
  disconnectsPacketTooLarge = 0;
  disconnectsNotAuthorized = 0;
  disconnectsQuotaExceeded = 0;
  disconnectsSlowReader = 0;
  disconnectsAdministrative = 0;
  disconnectsShutdown = 0;
  disconnectsOther = 0;

  authSuccess = 0;
  authFailed = 0;
  aclSuccess = 0;
  aclFailed = 0;

  sessionsCreated = 0;
  sessionsResumed = 0;
  sessionsTakenOver = 0;
  sessionsExpired = 0;
  willsPublished = 0;

  /** Times that reading from a publisher was paused because something behind it is full. */
  publisherPauses = 0;
  /** SUBSCRIBEs acknowledged before every live broker had confirmed them. */
  subscriptionsAcknowledgedLate = 0;
  /** Durable publishes refused with 0x97 because disk or journal is full. */
  durablePublishesRefused = 0;
}

/** The name of a counter; what a catalogue entry reads. */
export type CounterField = keyof BrokerCounters;

/** Counters at zero. One per broker, living as long as it. */
export function createBrokerCounters(): BrokerCounters {
  return new BrokerCounters();
}
