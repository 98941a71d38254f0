import { join } from 'node:path';
import type { EmbeddedPlacement } from '@robustmq/placement-center/embedded';
import type { Logger } from '@robustmq/telemetry';
import type { Component } from '../component.ts';
import type { LoadedBroker } from '../configuration/broker-configuration.ts';

/** The placement center of one member that a standalone process runs beside its broker. */
export interface StandalonePlacement {
  /** Waits until it is open, then closes it. */
  close(): Promise<void>;
}

/**
 * Opens it in the background: the broker serves meanwhile, and goes on without it when it fails.
 *
 * @returns null for a component that has none, and for a broker that keeps nothing
 */
export function openStandalonePlacement(
  component: Component,
  { settings }: LoadedBroker,
  logger: Logger,
): StandalonePlacement | null {
  if (component.name !== 'standalone' || settings.storage.kind === 'memory') return null;
  const opening = open(settings, logger).catch((error: unknown) => {
    logger.sink.error({ err: error }, 'the placement center of this process is not open');
    return null;
  });
  return {
    close: async () => {
      await (await opening)?.close();
    },
  };
}

async function open(
  { storage, clusterName, nodeId, listeners }: LoadedBroker['settings'],
  logger: Logger,
): Promise<EmbeddedPlacement> {
  const { openEmbeddedPlacement } = await import('@robustmq/placement-center/embedded');
  const startedMs = performance.now();
  const host = listeners[0]?.host ?? '127.0.0.1';
  const opened = await openEmbeddedPlacement({
    directory: join(storage.directory, 'placement'),
    clusterName,
    node: {
      clusterType: 'mqtt-broker',
      nodeId,
      nodeIp: host,
      innerAddress: `${host}:0`,
      extendInfo: '',
    },
    onFatal: (detail) => {
      logger.sink.error({ detail }, 'the placement center of this process has failed');
    },
    onControllerFailure: (controller, error) => {
      logger.sink.warn({ controller, err: error }, 'a loop of the placement center failed');
    },
  });
  const { incarnation } = opened.registration.node;
  const openMs = Math.round(performance.now() - startedMs);
  logger.sink.info({ incarnation, openMs }, 'the placement center of this process is open');
  return opened;
}
