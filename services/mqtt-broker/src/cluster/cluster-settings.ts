/** Everything that concerns a broker's place in its cluster, fully resolved. */
export interface ClusterSettings {
  readonly nodeId: number;
  readonly clusterName: string;
  /** As it is told to other nodes. */
  readonly nodeIp: string;
  /** Where other brokers reach this one, `host:port`. */
  readonly innerAddress: string;
  /** Where clients reach it, `host:port`; null: it tells nobody. */
  readonly mqttAddress: string | null;
  /** How long the registration stands without a heartbeat. */
  readonly leaseSeconds: number;
  /** How long SUBACK waits for the other brokers. */
  readonly subackWaitMs: number;
  /** How long an owner may take to give a session up before its registration is revoked. */
  readonly yieldWaitMs: number;
  /** For each call to the placement center. */
  readonly callDeadlineMs: number;
  /** For each call to the journal servers about a session that moves. */
  readonly stateDeadlineMs: number;
  /** LIMIT: nodeLinkBytesMax. What may wait for one peer before QoS 0 is dropped. */
  readonly linkBytesMax: number;
  /**
   * Whether clients whose session ends with their connection are let in while the placement center
   * does not answer.
   */
  readonly serveWithoutPlacement: boolean;
}
