import type { RaftFault } from './raft-group.ts';

/** Why a group or its host did not do what it was asked to. */
export class RaftError extends Error {
  override readonly name = 'RaftError';
  readonly fault: RaftFault;

  constructor(fault: RaftFault, options?: ErrorOptions) {
    super(sentenceOf(fault), options);
    this.fault = fault;
  }
}

function sentenceOf(fault: RaftFault): string {
  switch (fault.code) {
    case 'RAFT_REFUSED':
      return `refused (${fault.reason}); the leader is ${fault.leader ?? 'unknown'}`;
    case 'RAFT_LOG_CORRUPT':
      return `${fault.file} is damaged at byte ${fault.position}: ${fault.detail}`;
    default:
      return fault.detail;
  }
}
