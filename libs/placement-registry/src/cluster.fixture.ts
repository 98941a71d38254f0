import { ManualClock, SeededRandom } from '@robustmq/environment';
import { PlacementError, type PlacementFault } from '@robustmq/placement';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import type { NodeDescription } from './node-registry.ts';
import { openRegistries, type Registries } from './registries.ts';
import { RegistryError, type RegistryFault } from './registry-error.ts';
import type { SessionOwner } from './session-registry.ts';

/** For every call of a test. */
export const CALL = { deadlineMs: 10_000, signal: null };

/** Registries on a store in memory. */
export interface TestCluster {
  readonly placement: MemoryPlacement;
  readonly registries: Registries;
  readonly clock: ManualClock;
  /** Registers the next incarnation of an MQTT broker. */
  broker(nodeId: number): Promise<SessionOwner>;
}

export async function openTestCluster(): Promise<TestCluster> {
  const placement = new MemoryPlacement();
  const naming = { clusterName: 'test', random: new SeededRandom(1) };
  const registries = openRegistries(placement, naming);
  const broker = async (nodeId: number): Promise<SessionOwner> => {
    const life = { ttlSeconds: 10, nowMs: 0 };
    const { node } = await registries.nodes.register(describedNode(nodeId), life, CALL);
    return { nodeId, incarnation: node.incarnation, connectionId: 1 };
  };
  return { placement, registries, clock: new ManualClock(1_000), broker };
}

export function describedNode(nodeId: number): NodeDescription {
  const innerAddress = `host:${nodeId}`;
  return { clusterType: 'mqtt-broker', nodeId, nodeIp: 'host', innerAddress, extendInfo: '' };
}

/** Why a call fails. */
export async function faultOf(call: Promise<unknown>): Promise<RegistryFault | PlacementFault> {
  try {
    await call;
  } catch (error) {
    if (error instanceof RegistryError || error instanceof PlacementError) return error.fault;
    throw error;
  }
  throw new Error('the call did not fail');
}
