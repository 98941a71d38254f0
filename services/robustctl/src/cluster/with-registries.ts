import { systemRandom } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import { openRegistries, type Registries, RegistryError } from '@robustmq/placement-registry';
import { CommandError, ExitCode } from '../exit-code.ts';
import { withPlacement } from '../placement/with-placement.ts';
import type { ClusterFlags } from './cluster-flags.ts';

/** Uses the registries of the cluster that the flags name. @throws CommandError */
export function withRegistries(
  flags: ClusterFlags,
  use: (registries: Registries, call: CallOptions) => Promise<void>,
): Promise<void> {
  return withPlacement(flags, async (placement, { call }) => {
    const { clusterName } = flags;
    try {
      await use(openRegistries(placement, { clusterName, random: systemRandom }), call);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      throw new CommandError(ExitCode.failed, error.message, { cause: error });
    }
  });
}
