import type { CallOptions } from '@robustmq/placement';
import type { OwnedSession, WillRegistry } from '@robustmq/placement-registry';
import type { BrokerContext } from '../broker-context.ts';
import { decodeWill, encodeWill } from '../session/wills.ts';
import type { WillMessage } from '../session/will-message.ts';

/**
 * Wills in the placement center: one that is taken is published by the taker and by nobody else. A
 * taker that dies between the two publishes it never: a will is published at most once, and exactly
 * once unless two brokers die one after the other.
 */
export class StoredWills {
  readonly #context: BrokerContext;
  readonly #registry: WillRegistry;

  constructor(context: BrokerContext, registry: WillRegistry) {
    this.#context = context;
    this.#registry = registry;
  }

  /** @throws REGISTRY_FENCED */
  async save(owner: OwnedSession, will: WillMessage, call: CallOptions): Promise<void> {
    const { clientId, epoch } = owner;
    await this.#registry.save({ clientId, epoch, message: encodeWill(will) }, call);
  }

  /** null: there is none. @throws REGISTRY_FENCED  the session is not at this epoch any more */
  async take(owner: OwnedSession, call: CallOptions): Promise<WillMessage | null> {
    const taken = await this.#registry.takeOwned(owner, call);
    return taken === null ? null : decodeWill(this.#context, taken.message);
  }

  /** @throws REGISTRY_FENCED */
  discard(owner: OwnedSession, call: CallOptions): Promise<void> {
    return this.#registry.discard(owner, call);
  }

  publish(clientId: string, will: WillMessage): void {
    this.#context.wills.publishStored(clientId, will);
  }
}
