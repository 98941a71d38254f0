/** Faults of the placement center: `proto/robustmq/fault/v1/fault.proto`. */
import type { LeaseId, PlacementFault, Revision } from '@robustmq/placement';
import type { Codec } from '../contract/method.ts';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';
import { codecOf } from './codec-of.ts';

export function writeFault(writer: ProtobufWriter, fault: PlacementFault): void {
  writer.text(1, fault.code);
  switch (fault.code) {
    case 'PLACEMENT_NOT_LEADER':
      if (fault.leader !== null) writer.alwaysText(2, fault.leader);
      return;
    case 'PLACEMENT_LEASE_NOT_FOUND':
    case 'PLACEMENT_LEASE_EXISTS':
      writer.uint(4, fault.lease);
      return;
    case 'PLACEMENT_REVISION_COMPACTED':
      writer.uint(5, fault.requested);
      writer.uint(6, fault.oldest);
      return;
    case 'PLACEMENT_REVISION_FUTURE':
      writer.uint(5, fault.requested);
      writer.uint(6, fault.current);
      return;
    case 'PLACEMENT_CLOSED':
      return;
    default:
      writer.text(3, fault.detail);
  }
}

export function readFault(reader: ProtobufReader): PlacementFault {
  const facts: Facts = { code: '', leader: null, detail: '', lease: 0, requested: 0, known: 0 };
  while (reader.next()) {
    if (reader.field === 1) facts.code = reader.text();
    else if (reader.field === 2) facts.leader = reader.text();
    else if (reader.field === 3) facts.detail = reader.text();
    else if (reader.field === 4) facts.lease = reader.uint();
    else if (reader.field === 5) facts.requested = reader.uint();
    else if (reader.field === 6) facts.known = reader.uint();
    else reader.skip();
  }
  return faultOf(facts);
}

interface Facts {
  code: string;
  leader: string | null;
  detail: string;
  lease: number;
  requested: number;
  known: number;
}

function faultOf({ code, leader, detail, lease, requested, known }: Facts): PlacementFault {
  switch (code) {
    case 'PLACEMENT_NOT_LEADER':
      return { code, leader };
    case 'PLACEMENT_LEASE_NOT_FOUND':
    case 'PLACEMENT_LEASE_EXISTS':
      return { code, lease: lease as LeaseId };
    case 'PLACEMENT_REVISION_COMPACTED':
      return { code, requested: requested as Revision, oldest: known as Revision };
    case 'PLACEMENT_REVISION_FUTURE':
      return { code, requested: requested as Revision, current: known as Revision };
    case 'PLACEMENT_UNAVAILABLE':
    case 'PLACEMENT_OUTCOME_UNKNOWN':
    case 'PLACEMENT_OVERLOADED':
    case 'PLACEMENT_FULL':
    case 'PLACEMENT_INVALID':
    case 'PLACEMENT_UNAUTHENTICATED':
      return { code, detail };
    case 'PLACEMENT_CLOSED':
      return { code };
    default:
      // A newer server knows more; whether the change happened cannot be told.
      return { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail: `fault ${code}: ${detail}` };
  }
}

/** Of the trailer `robustmq-fault-bin`. */
export const faultCodec: Codec<PlacementFault> = codecOf(writeFault, readFault);
