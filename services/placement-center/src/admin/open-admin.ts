/** The HTTP side of a member. */
import {
  type AdminServer,
  createAdminServer,
  createPlacementMetricsRegistry,
  type HealthSource,
} from '@robustmq/telemetry';
import type { ServerParts } from '../grpc/open-server.ts';
import { gaugesOf } from './gauges.ts';
import { healthOf, type MemberCondition } from './health.ts';

/** Of a member. null when it is turned off. @throws AdminServerError */
export function openAdmin(
  parts: ServerParts,
  condition: () => MemberCondition,
): Promise<AdminServer | null> {
  return openAdminWith(parts, healthOf(condition));
}

/** null when it is turned off. @throws AdminServerError */
export async function openAdminWith(
  parts: ServerParts,
  health: HealthSource,
): Promise<AdminServer | null> {
  const { http, clusterName, version, nodeId } = parts.settings;
  if (!http.enabled) return null;
  const admin = createAdminServer({
    host: http.host,
    port: http.port,
    portKey: 'http_port',
    node: { name: clusterName, version, id: nodeId },
    metrics: createPlacementMetricsRegistry(gaugesOf(parts.node, parts.host), 'included'),
    health,
    onFailure: (error, path) => {
      parts.logger.sink.error({ path, err: error }, 'an HTTP route failed');
    },
  });
  await admin.start();
  return admin;
}
