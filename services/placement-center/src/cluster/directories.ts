/** What is where in the data directory of a member. */

/** The Raft log, the hard state and the member's identity. */
export function raftDirectoryOf(dataPath: string): string {
  return `${dataPath}/raft`;
}

/** The state as of some applied entry. */
export function stateDirectoryOf(dataPath: string): string {
  return `${dataPath}/state`;
}
