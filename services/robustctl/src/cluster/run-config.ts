import { CLUSTER_WIDE_KEYS, clusterWideKey, nearestClusterWideKey } from '@robustmq/mqtt-broker';
import type { ClusterWideKey } from '@robustmq/mqtt-broker';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print, table } from '../output.ts';
import type { ClusterFlags } from './cluster-flags.ts';
import { withRegistries } from './with-registries.ts';

const SETTINGS_MOST = 1000;

/** `cluster config get [KEY]`: what is set for all brokers. */
export function runConfigGet(name: string | undefined, flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    if (name !== undefined) {
      const key = known(name);
      const stored = await registries.settings.read(key.name.split('.'), call);
      if (stored === null) {
        const message = `${key.name} is not set: each broker goes by its own file`;
        throw new CommandError(ExitCode.failed, message);
      }
      print(shown(key.name, textOf(stored.value.content), flags));
      return;
    }
    const page = await registries.settings.list({ after: null, limit: SETTINGS_MOST }, call);
    for (const { value } of page.items) {
      const content = textOf(value.content);
      const each = value.resource.join('.');
      print(flags.output === 'json' ? shown(each, content, flags) : `${each}\t${content}`);
    }
  });
}

/** `cluster config set KEY VALUE`: every broker goes by it at once. */
export function runConfigSet(name: string, text: string, flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const key = known(name);
    const expected = key.expectedInsteadOf(text);
    if (expected !== null) {
      const message = `${key.name} = ${JSON.stringify(text)}: expected ${expected}`;
      throw new CommandError(ExitCode.usage, message);
    }
    const content = new TextEncoder().encode(text);
    await registries.settings.save({ resource: key.name.split('.'), content }, null, call);
    print(flags.output === 'json' ? shown(key.name, text, flags) : 'set');
  });
}

/** `cluster config unset KEY`: each broker goes by its own file again. Names of other versions are removed, too. */
export function runConfigUnset(name: string, flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const removed = await registries.settings.delete(name.split(/[./]/), call);
    if (!removed) throw new CommandError(ExitCode.failed, `${name} is not set`);
    print(flags.output === 'json' ? JSON.stringify({ name, content: null }) : 'no longer set');
  });
}

/** `cluster config list`: what can be set, and to what. */
export async function runConfigList(flags: ClusterFlags): Promise<void> {
  if (flags.output === 'json') {
    for (const { name, range, meaning } of CLUSTER_WIDE_KEYS) {
      print(JSON.stringify({ name, range, meaning }));
    }
    return;
  }
  const rows = CLUSTER_WIDE_KEYS.map(({ name, range }) => [name, range]);
  print(table(['key', 'value'], rows));
}

/** Slashes may stand for dots. @throws CommandError `usage` */
function known(spelled: string): ClusterWideKey {
  const name = spelled.replaceAll('/', '.');
  const key = clusterWideKey(name);
  if (key !== null) return key;
  const nearest = nearestClusterWideKey(name);
  const hint =
    nearest === null ? 'robustctl cluster config list shows all' : `did you mean ${nearest}?`;
  const message = `${JSON.stringify(spelled)} is no key that can be set for a cluster: ${hint}`;
  throw new CommandError(ExitCode.usage, message);
}

function shown(name: string, content: string, { output }: ClusterFlags): string {
  return output === 'json' ? JSON.stringify({ name, content }) : content;
}

function textOf(content: Uint8Array): string {
  return new TextDecoder().decode(content);
}
