export { describePlacement } from './describe-placement.ts';
export { MemoryPlacement } from './memory-placement.ts';
export {
  absent,
  bytesOf,
  CALL,
  deletionOf,
  eventsOf,
  eventText,
  faultOf,
  perform,
  put,
  putText,
  readKey,
  readPrefix,
  readRange,
  revisionOf,
  takeEvents,
  textOf,
} from './placement-calls.ts';
export type {
  OpenedPlacement,
  PlacementCapabilities,
  PlacementFixture,
} from './placement-fixture.ts';
