/** Who the event is about, with what every payload repeats. */
export interface PresenceClient {
  readonly clientId: string;
  readonly username: string | null;
  readonly remoteAddress: string;
  /** Protocol level: 3, 4 or 5. */
  readonly protocolLevel: number;
}

/** One message for `$SYS/brokers/{node}/clients/{id}/…`; the payload is JSON text. */
export interface PresenceEvent {
  readonly topic: string;
  readonly payload: string;
}

/** Where and when: the node's name, the wall clock, and the next epoch. */
export interface PresenceMoment {
  readonly nodeName: string;
  readonly nowMs: number;
  /** From {@link PresenceEpoch}; receivers drop an event that is not newer than the last they saw. */
  readonly epoch: number;
}

/**
 * A number that only grows: from event to event, and from one process to the next.
 *
 * It begins at the microseconds of the wall clock, so a restarted node begins above its predecessor
 * unless that one sent more than a million events a second or the clock was set back.
 */
export class PresenceEpoch {
  #last: number;

  constructor(startedAtMs: number) {
    this.#last = startedAtMs * 1_000;
  }

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

/** The CONNECT was accepted. Keep alive and expiry as they hold, in seconds. */
export function clientConnectedEvent(
  moment: PresenceMoment,
  client: PresenceClient,
  facts: {
    readonly keepAliveSeconds: number;
    readonly sessionExpirySeconds: number;
    readonly cleanStart: boolean;
    readonly sessionPresent: boolean;
  },
): PresenceEvent {
  return presenceEvent(moment, client, 'connected', {
    keepalive: facts.keepAliveSeconds,
    expiry_interval: facts.sessionExpirySeconds,
    clean_start: facts.cleanStart,
    session_present: facts.sessionPresent,
    connected_at: moment.nowMs,
  });
}

/** The connection ended; `cause` is a label value of `robust_mqtt_disconnects_total`. */
export function clientDisconnectedEvent(
  moment: PresenceMoment,
  client: PresenceClient,
  facts: { readonly cause: string; readonly reasonCode: number },
): PresenceEvent {
  return presenceEvent(moment, client, 'disconnected', {
    reason: facts.cause,
    reason_code: facts.reasonCode,
    disconnected_at: moment.nowMs,
  });
}

/** One filter was subscribed to, with the QoS granted. */
export function clientSubscribedEvent(
  moment: PresenceMoment,
  client: PresenceClient,
  facts: { readonly topicFilter: string; readonly qos: number },
): PresenceEvent {
  const { topicFilter, qos } = facts;
  return presenceEvent(moment, client, 'subscribed', { topic: topicFilter, qos });
}

/** One filter was unsubscribed from. */
export function clientUnsubscribedEvent(
  moment: PresenceMoment,
  client: PresenceClient,
  facts: { readonly topicFilter: string },
): PresenceEvent {
  return presenceEvent(moment, client, 'unsubscribed', { topic: facts.topicFilter });
}

function presenceEvent(
  moment: PresenceMoment,
  client: PresenceClient,
  kind: 'connected' | 'disconnected' | 'subscribed' | 'unsubscribed',
  facts: Readonly<Record<string, string | number | boolean>>,
): PresenceEvent {
  const level = topicLevelOf(client.clientId);
  return {
    topic: `$SYS/brokers/${moment.nodeName}/clients/${level}/${kind}`,
    payload: JSON.stringify({
      clientid: client.clientId,
      username: client.username,
      ipaddress: client.remoteAddress,
      proto_ver: client.protocolLevel,
      ...facts,
      ts: moment.nowMs,
      epoch: moment.epoch,
    }),
  };
}

/**
 * A client identifier as one topic level: `/`, `+`, `#` and `%` are percent-encoded, since a client
 * may choose them and a topic name must not contain wildcards (MQTT-5.0 [MQTT-3.3.2-2]).
 */
function topicLevelOf(clientId: string): string {
  return clientId.replaceAll(
    /[/+#%]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
