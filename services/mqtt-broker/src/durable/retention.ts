import type { BrokerContext } from '../broker-context.ts';
import type { OpenedStorage } from './open-storage.ts';

export class Retention {
  constructor(_context: BrokerContext, _storage: OpenedStorage) {}
  tick(): void {}
}
