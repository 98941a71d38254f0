import type { RaftHost, RaftHostOptions } from './raft-host.ts';

/**
 * Opens the data directory for this process.
 *
 * @throws DataDirectoryError  the directory is in use, or of another format
 * @throws RaftError RAFT_LOG_CORRUPT  its identity file is damaged or of another node
 */
export async function openRaftHost(_options: RaftHostOptions): Promise<RaftHost> {
  throw new Error('not there yet');
}
