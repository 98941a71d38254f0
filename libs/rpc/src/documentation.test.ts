import { readFileSync } from 'node:fs';
import type { LeaseId, PlacementFault, Revision } from '@robustmq/placement';
import { describe, expect, test } from 'vitest';
import {
  clusterService,
  engineService,
  mqttBrokerService,
  mqttService,
  placementCenterService,
} from './contract/control-services.ts';
import { journalService } from './contract/journal-exchange.ts';
import type { AnyMethod, ServiceContract } from './contract/method.ts';
import { repairService } from './contract/replica-repair.ts';
import {
  healthService,
  kvService,
  leaseService,
  raftTransportService,
  watchService,
} from './contract/store-services.ts';
import { statusOf } from './fault-status.ts';
import { rpcStatus } from './rpc-error.ts';
import { loadProtoFiles } from './testing/proto-files.ts';

const page = readFileSync(new URL('../../../docs/reference/grpc.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));

const revision = 1 as Revision;
const faults: readonly PlacementFault[] = [
  { code: 'PLACEMENT_NOT_LEADER', leader: null },
  { code: 'PLACEMENT_UNAVAILABLE', detail: '' },
  { code: 'PLACEMENT_CLOSED' },
  { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail: '' },
  { code: 'PLACEMENT_OVERLOADED', detail: '' },
  { code: 'PLACEMENT_FULL', detail: '' },
  { code: 'PLACEMENT_INVALID', detail: '' },
  { code: 'PLACEMENT_UNAUTHENTICATED', detail: '' },
  { code: 'PLACEMENT_LEASE_NOT_FOUND', lease: 1 as LeaseId },
  { code: 'PLACEMENT_LEASE_EXISTS', lease: 1 as LeaseId },
  { code: 'PLACEMENT_REVISION_COMPACTED', requested: revision, oldest: revision },
  { code: 'PLACEMENT_REVISION_FUTURE', requested: revision, current: revision },
];

const services: readonly { readonly contract: ServiceContract<object>; readonly file: string }[] = [
  { contract: placementCenterService, file: 'robustmq/placement/v1/placement_center.proto' },
  { contract: kvService, file: 'robustmq/placement/v1/kv.proto' },
  { contract: leaseService, file: 'robustmq/placement/v1/lease.proto' },
  { contract: watchService, file: 'robustmq/placement/v1/watch.proto' },
  { contract: mqttService, file: 'robustmq/mqtt/v1/mqtt.proto' },
  { contract: engineService, file: 'robustmq/engine/v1/engine.proto' },
  { contract: journalService, file: 'robustmq/journal/v1/journal.proto' },
  { contract: repairService, file: 'robustmq/journal/v1/repair.proto' },
  { contract: clusterService, file: 'robustmq/cluster/v1/cluster.proto' },
  { contract: mqttBrokerService, file: 'robustmq/broker/v1/broker.proto' },
  { contract: raftTransportService, file: 'robustmq/raft/v1/raft_transport.proto' },
  { contract: healthService, file: 'grpc/health/v1/health.proto' },
];

describe('docs/reference/grpc.md', () => {
  test('gives every fault the status that servers send', () => {
    const documented = rows.filter(([, code]) => code?.startsWith('PLACEMENT_'));
    expect(documented.map(([, code, status]) => `${code} ${status}`)).toEqual(
      faults.map((fault) => `${fault.code} ${rpcStatus[statusOf(fault)]}`),
    );
  });

  test('lists every service', () => {
    const documented = rows.filter(([, name]) => name?.includes('.v1.')).map(([, name]) => name);
    expect(documented).toEqual(services.map(({ contract }) => contract.name));
  });

  for (const { contract, file } of services) {
    test(`lists the methods of ${contract.name}, as its proto file and its contract do`, () => {
      const [, , cell = ''] = rows.find(([, name]) => name === contract.name) ?? [];
      const documented = cell.replaceAll(/ \([^)]*\)/g, '').split(', ');
      const declared = loadProtoFiles([file]).lookupService(contract.name).methodsArray;
      expect(documented).toEqual(declared.map(({ name }) => name));
      const methods = Object.values(contract.methods) as AnyMethod[];
      expect(methods.map(({ path, kind }) => `${path} ${kind}`)).toEqual(
        declared.map(({ name, requestStream, responseStream }) => {
          const kind = responseStream === true ? 'serverStream' : 'unary';
          return `/${contract.name}/${name} ${requestStream === true ? 'duplex' : kind}`;
        }),
      );
    });
  }
});
