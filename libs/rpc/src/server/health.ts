/** Tells orchestrators which services answer: gRPC's own health contract. */
import { EventEmitter, once } from 'node:events';
import { status } from '@grpc/grpc-js';
import type { HealthReply, ServingStatus } from '../codec/health.ts';
import { type HealthMethods, healthService } from '../contract/store-services.ts';
import { refusal } from '../rpc-error.ts';
import {
  type CallContext,
  type Implementation,
  mount,
  type MountedService,
} from './implementation.ts';

/** The status of each service of one server; the empty name stands for the server. */
export class Health {
  readonly #statuses = new Map<string, ServingStatus>();
  readonly #changes = new EventEmitter().setMaxListeners(0);

  /** @param services  the names of all services: nobody else's status may be set */
  constructor(services: readonly string[]) {
    for (const name of ['', ...services]) this.#statuses.set(name, 'serving');
  }

  set(service: string, serving: ServingStatus): void {
    this.#statuses.set(service, serving);
    this.#changes.emit('change');
  }

  /** Everything, because the server stops. */
  setAll(serving: ServingStatus): void {
    for (const service of this.#statuses.keys()) this.set(service, serving);
  }

  mounted(): MountedService {
    const implementation: Implementation<HealthMethods> = {
      check: async ({ service }) => {
        const known = this.#statuses.get(service);
        if (known === undefined) throw refusal(status.NOT_FOUND, `no service ${service}`);
        return { status: known };
      },
      watch: ({ service }, context) => this.#follow(service, context),
    };
    return mount(healthService, implementation);
  }

  async *#follow(service: string, context: CallContext): AsyncIterable<HealthReply> {
    const stop = AbortSignal.any([context.signal, context.closing]);
    let told: ServingStatus | null = null;
    while (!context.signal.aborted) {
      const known = this.#statuses.get(service) ?? 'serviceUnknown';
      if (known !== told) {
        told = known;
        yield { status: known };
        // It may have changed again while the client took its time.
        continue;
      }
      if (stop.aborted) return;
      await once(this.#changes, 'change', { signal: stop }).catch(() => null);
    }
  }
}
