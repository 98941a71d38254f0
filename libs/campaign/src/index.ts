export { buildDiskTrace, type DiskEvent, readDiskTrace, whyNoDiskTrace } from './disk-trace.ts';
export { allHold, atLeast, atMost, type Figure, holds, tableOf, told } from './figures.ts';
export { Hosts, whyNoHosts } from './hosts.ts';
export { DiskState, type PowerLoss } from './power-loss.ts';
export { type CampaignResult, runCampaigns } from './run-campaigns.ts';
