export { buildDiskTrace, whyNoDiskTrace } from './disk-trace.ts';
export { allHold, atLeast, atMost, type Figure, holds, tableOf, told } from './figures.ts';
export { freePorts } from './free-ports.ts';
export { Hosts, whyNoHosts } from './hosts.ts';
export { type CampaignResult, runCampaigns } from './run-campaigns.ts';
export { TracedDisk, tracedBy } from './traced-disk.ts';
export type { BrokerAddress, BrokerPlace } from './delivery/broker-place.ts';
export { DurableLoad, type LoadOptions } from './delivery/durable-load.ts';
export { Ledger, type LedgerFigures, OUTCOME, type Stream } from './delivery/ledger.ts';
export { ledgerFigures } from './delivery/ledger-figures.ts';
export { payloadOf, sequenceOf } from './delivery/payload.ts';
export { LatencyProbe } from './overload/latency-probe.ts';
export { MemoryWatch } from './overload/memory-watch.ts';
export type { OverloadTarget, WithTarget } from './overload/overload-target.ts';
export { type OverloadOptions, runOverload } from './overload/run-overload.ts';
export { type ServiceCommand, ServiceProcess } from './service-process.ts';
export {
  FAULT_KINDS,
  type FaultKind,
  type FaultRecord,
  type FaultStormOptions,
  type FaultUnit,
  type FaultWorld,
  runFaultStorm,
} from './storm.ts';
