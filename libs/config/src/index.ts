export { annotatedFile } from './annotated-file.ts';
export type { AnnotatedFileOptions } from './annotated-file.ts';
export { formatBytes, parseBytes } from './byte-size.ts';
export { type ClusterTokenKeys, clusterTokenKeys } from './cluster-token-keys.ts';
export { exposureFaults, isLoopbackHost, tlsFaults } from './exposure.ts';
export { effectiveSettings, explainKeys, REDACTED } from './explanation.ts';
export type { EffectiveSetting, KeyExplanation } from './explanation.ts';
export { type KeyFault, refusedCombination } from './key-fault.ts';
export {
  booleanKey,
  bytesKey,
  bytesOrAutoKey,
  choiceKey,
  integerKey,
  integerOrWordKey,
  textKey,
  textListKey,
  textMapKey,
} from './key-kinds.ts';
export type { KeyDeclaration, KeyWords, ValueFault } from './key.ts';
export { loadConfiguration } from './load.ts';
export { logSection, type LogSection } from './log-section.ts';
export { isHostAndPort, nodesFaults, ownPortFaults } from './node-addresses.ts';
export { describeOrigin, describeProblem } from './problem.ts';
export type { Origin, Problem } from './problem.ts';
export { raftTimeFaults, raftTimeKeys, raftTimesFrom } from './raft-time-keys.ts';
export type { RaftTimeKeys, RaftTimes } from './raft-time-keys.ts';
export { resolveConfiguration } from './resolve.ts';
export type { Configuration, ConfigurationSource, Setting } from './resolve.ts';
export { keysOf } from './schema.ts';
export type {
  ObsoleteKey,
  RowsDeclaration,
  Schema,
  SchemaKey,
  SectionDeclaration,
} from './schema.ts';
export { tlsSection, type TlsSection } from './tls-section.ts';
export { nearestName } from './suggestion.ts';
