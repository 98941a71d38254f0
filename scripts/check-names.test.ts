import { expect, test } from 'vitest';
import { nameFindings } from './check-names.ts';

const rows = [
  ['libs/raft/src/follower.ts', [], 'a concept is a name'],
  ['libs/raft/src/quorum.test.ts', [], 'a test is named after its file'],
  ['services/mqtt-broker/src/grpc/kv.ts', [], 'folders of a service are judged below it'],
  ['libs/raft/src/utils.ts', ['libs/raft/src/utils.ts'], 'a drawer is not a name'],
  ['libs/raft/src/session-manager.ts', ['libs/raft/src/session-manager.ts'], 'nor is a role'],
  ['libs/raft/src/helpers/log.ts', ['libs/raft/src/helpers'], 'a folder is judged too'],
  ['libs/raft/src/LogStore.ts', ['libs/raft/src/LogStore.ts'], 'kebab-case only'],
  ['libs/raft/testdata/a.ts', [], 'a word inside a longer word is fine'],
] as const;

for (const [path, expected, why] of rows) {
  test(`${why}: ${path}`, () => {
    expect(nameFindings([path]).map((finding) => finding.path)).toEqual(expected);
  });
}
