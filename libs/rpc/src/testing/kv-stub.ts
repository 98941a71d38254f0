/** A KvService of which a test says only what it needs; every other method is a mistake. */
import type { KvMethods } from '../contract/store-services.ts';
import { kvService } from '../contract/store-services.ts';
import { type Implementation, mount, type MountedService } from '../server/implementation.ts';

const unexpected = async (): Promise<never> => {
  throw new Error('the test did not expect this call');
};

const nothing: Implementation<KvMethods> = {
  set: unexpected,
  get: unexpected,
  delete: unexpected,
  exists: unexpected,
  range: unexpected,
  transact: unexpected,
  compact: unexpected,
  pipeline: (call) => call.abort(new Error('the test did not expect this call')),
};

/** @param methods  what the test serves */
export function kvStub(methods: Partial<Implementation<KvMethods>>): MountedService {
  return mount(kvService, { ...nothing, ...methods });
}
