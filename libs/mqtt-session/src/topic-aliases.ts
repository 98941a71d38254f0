/** Aliases that a client has set on its connection (MQTT-5.0 §3.3.2.3.4). They die with it. */
export class InboundAliases<Topic> {
  readonly #topics: (Topic | undefined)[] = [];
  readonly #aliasMax: number;

  /** @param aliasMax  the Topic Alias Maximum that we announced */
  constructor(aliasMax: number) {
    this.#aliasMax = aliasMax;
  }

  /** Whether the client may use this alias at all (MQTT-5.0 [MQTT-3.3.2-8], [MQTT-3.3.2-12]: else 0x94). */
  isLegal(alias: number): boolean {
    return alias >= 1 && alias <= this.#aliasMax;
  }

  set(alias: number, topic: Topic): void {
    this.#topics[alias] = topic;
  }

  /** The topic behind an alias, or undefined: a protocol error (MQTT-5.0 §3.3.4). */
  get(alias: number): Topic | undefined {
    return this.#topics[alias];
  }
}

/**
 * Aliases that we give a client that allows them. The first topics get one each; when all are given
 * away, further topics are sent in full: a message is never delayed or reordered for an alias.
 */
export class OutboundAliases<Topic extends object> {
  readonly #aliases = new Map<Topic, number>();
  readonly #aliasMax: number;

  constructor(aliasMax: number) {
    this.#aliasMax = aliasMax;
  }

  /** @returns the alias that the client already knows for this topic, or 0 */
  known(topic: Topic): number {
    return this.#aliases.get(topic) ?? 0;
  }

  /**
   * The alias that the next new topic gets, to be sent along with its name; 0 when none is left, since
   * none may exceed the client's maximum (MQTT-5.0 [MQTT-3.1.2-26], [MQTT-3.3.2-11]).
   */
  get next(): number {
    return this.#aliases.size >= this.#aliasMax ? 0 : this.#aliases.size + 1;
  }

  /** The `next` alias now stands for this topic: its name and the alias are on their way. */
  assign(topic: Topic): void {
    this.#aliases.set(topic, this.#aliases.size + 1);
  }
}
