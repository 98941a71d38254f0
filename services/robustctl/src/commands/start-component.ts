import type { Component } from '../component.ts';
import { assertStandsAlone, loadBroker } from '../configuration/broker-configuration.ts';
import { CommandError, ExitCode } from '../exit-code.ts';

/**
 * Starts a component, in this process or in the background.
 *
 * @throws CommandError when it cannot be started
 */
export async function startComponent(
  component: Component,
  named: string | undefined,
  where: 'foreground' | 'background',
): Promise<void> {
  assertAvailable(component);
  const loaded = loadBroker(component, named);
  assertStandsAlone(loaded);
  if (where === 'background') {
    const { runInBackground } = await import('../process/run-background.ts');
    await runInBackground(component, loaded);
    return;
  }
  const { runBroker } = await import('../process/run-broker.ts');
  process.exitCode = await runBroker(component, loaded);
  // Nothing may keep a stopped broker alive: what is still open is a mistake, not a reason to stay.
  setTimeout(() => process.exit(), 1000).unref();
}

/** @throws CommandError for components that are announced but not there yet */
export function assertAvailable(component: Component): void {
  if (component.name === 'standalone' || component.name === 'broker-mqtt') return;
  throw new CommandError(
    ExitCode.unavailable,
    `${component.name} is not available in this version. What works today: \`robustctl standalone start\` ` +
      `(one durable node). \`robustctl config check ${component.defaultFile}\` checks its file already`,
  );
}
