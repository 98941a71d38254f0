/** Where a client finds a broker, asked for anew at each attempt to connect. */
export interface BrokerPlace {
  /**
   * @param clientId  so that clients of a cluster spread over its brokers
   * @param attempt   from 0, one more each time: a broker that does not answer is not asked for ever
   * @returns null while there is none to ask
   */
  addressFor(clientId: string, attempt: number): BrokerAddress | null;
  /**
   * How long a broker may be silent before a client gives it up and connects anew, in milliseconds: it
   * sends PINGREQ meanwhile. null: as long as the connection lasts.
   */
  readonly patienceMs: number | null;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}
