import { textListKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[etcd]`: with backend = "etcd". */
export interface EtcdSection {
  readonly endpoints: readonly string[];
}

export const etcdSection: SectionDeclaration<EtcdSection> = {
  kind: 'section',
  name: 'etcd',
  meaning: 'Where the data is kept with backend = "etcd".',
  keys: {
    endpoints: textListKey({
      default: [],
      meaning: 'The addresses of etcd, such as "http://127.0.0.1:2379".',
      reason: 'Used with backend = "etcd" only.',
    }),
  },
};
