/** What a broker tells about itself in its registration, besides its address for other brokers. */
export interface BrokerNotice {
  /** Where clients reach it, `host:port`; null: it does not say. */
  readonly mqttAddress: string | null;
  /** It sends its clients to others and lets none in. */
  readonly draining: boolean;
}

const NOTHING: BrokerNotice = { mqttAddress: null, draining: false };

/** As `extendInfo` of a node's record. */
export function encodeNotice(notice: BrokerNotice): string {
  return JSON.stringify(notice);
}

/** Of any `extendInfo`: what is not understood counts as not said. */
export function decodeNotice(extendInfo: string): BrokerNotice {
  try {
    const said = JSON.parse(extendInfo) as Partial<BrokerNotice> | null;
    const address = said?.mqttAddress;
    return {
      mqttAddress: typeof address === 'string' && address !== '' ? address : null,
      draining: said?.draining === true,
    };
  } catch (error) {
    if (error instanceof SyntaxError) return NOTHING;
    throw error;
  }
}
