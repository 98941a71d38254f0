import { textKey } from './key-kinds.ts';
import type { SectionDeclaration } from './schema.ts';

/** The secret that the processes of a cluster share. */
export interface ClusterTokenKeys {
  readonly cluster_token: string;
  readonly cluster_token_file: string;
}

/** The same in every process of a cluster. @param who  shows it */
export function clusterTokenKeys(who: string): SectionDeclaration<ClusterTokenKeys>['keys'] {
  return {
    cluster_token: textKey({
      default: '',
      allowEmpty: true,
      secret: true,
      meaning: `The secret that ${who} show each other. Empty: none.`,
      reason: 'Required where addr is not a loopback address. Prefer cluster_token_file.',
    }),
    cluster_token_file: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'A file whose first line is the cluster token.',
      reason: 'A file can be kept from other users of the machine.',
    }),
  };
}
