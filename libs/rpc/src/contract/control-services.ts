/** The services of the control plane. */
import type { MqttBrokerMethods } from '../generated/broker.ts';
import type { ClusterMethods } from '../generated/cluster.ts';
import type { EngineMethods } from '../generated/engine.ts';
import type { MqttMethods } from '../generated/mqtt.ts';
import type { PlacementCenterMethods } from '../generated/placement-center.ts';
import type { ServiceContract } from './method.ts';
import { reflectedService } from './reflection.ts';

/** Nodes, configuration, identifiers. */
export const placementCenterService: ServiceContract<PlacementCenterMethods> = reflectedService(
  'robustmq.placement.v1.PlacementCenterService',
);

/** Users, sessions, topics. */
export const mqttService: ServiceContract<MqttMethods> = reflectedService(
  'robustmq.mqtt.v1.MqttService',
);

/** Shards and segments. */
export const engineService: ServiceContract<EngineMethods> = reflectedService(
  'robustmq.engine.v1.EngineService',
);

/** What operators do with the members. */
export const clusterService: ServiceContract<ClusterMethods> = reflectedService(
  'robustmq.cluster.v1.ClusterService',
);

/** What operators do with one broker. */
export const mqttBrokerService: ServiceContract<MqttBrokerMethods> = reflectedService(
  'robustmq.broker.v1.MqttBrokerService',
);
