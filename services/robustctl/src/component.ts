/** Something that `robustctl` can start. */
export interface Component {
  /** The name that the documentation uses. */
  readonly name: 'standalone' | 'broker-mqtt' | 'placement-center' | 'journal-server';
  readonly aliases: readonly string[];
  readonly summary: string;
  /** The file that is read when none is named and it exists, from the working directory. */
  readonly defaultFile: string;
}

/** All components, with every name that RobustMQ has used for them. */
export const COMPONENTS: readonly Component[] = [
  {
    name: 'standalone',
    aliases: [],
    summary: 'everything in one process: the place to begin',
    defaultFile: 'config/standalone.toml',
  },
  {
    name: 'broker-mqtt',
    aliases: ['mqtt-broker', 'mqtt-server', 'mqtt'],
    summary: 'an MQTT broker, alone or as a member of a cluster',
    defaultFile: 'config/mqtt-server.toml',
  },
  {
    name: 'placement-center',
    aliases: ['place', 'meta'],
    summary: 'the cluster’s registry: members, keys, leases',
    defaultFile: 'config/placement-center.toml',
  },
  {
    name: 'journal-server',
    aliases: ['journal', 'engine'],
    summary: 'replicated message storage',
    defaultFile: 'config/journal-server.toml',
  },
];

/** The component that a name or an alias means; null when there is none. */
export function componentNamed(name: string): Component | null {
  return (
    COMPONENTS.find((component) => component.name === name || component.aliases.includes(name)) ??
    null
  );
}
