import { brokerSchema } from '@robustmq/mqtt-broker';
import type { Schema } from '@robustmq/config';
import { componentNamed, COMPONENTS } from '../component.ts';
import type { Component } from '../component.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { placementCenterSchema } from '@robustmq/placement-center/configuration';
import { journalServerSchema } from '@robustmq/journal-server/configuration';

/** The schema of a component, for code that treats all components alike. */
export function schemaOf(component: Component): Schema<Record<string, never>> {
  // Only the declarations are used, never the type of the values.
  return erased(component) as unknown as Schema<Record<string, never>>;
}

function erased(component: Component): unknown {
  switch (component.name) {
    case 'standalone':
    case 'broker-mqtt':
      return brokerSchema;
    case 'placement-center':
      return placementCenterSchema;
    case 'journal-server':
      return journalServerSchema;
  }
}

/** @throws CommandError `usage` for a name that no component has */
export function knownComponent(name: string): Component {
  const component = componentNamed(name);
  if (component !== null) return component;
  const known = COMPONENTS.map((candidate) => candidate.name).join(', ');
  throw new CommandError(ExitCode.usage, `unknown component ${name}; known are ${known}`);
}

/** The component that a file is for, by its name or by the folder it lies in; standalone otherwise. */
export function componentOfFile(path: string | null): Component {
  const parts = (path ?? '').split('/').map((part) => part.replace(/\.toml$/, ''));
  const names = parts.toReversed().map(componentNamed);
  return names.find((component) => component !== null) ?? knownComponent('standalone');
}
