import { expect, test } from 'vitest';
import { missingPlatforms } from './check-lockfile.ts';

const tool = {
  version: '1.2.3',
  dev: true,
  optionalDependencies: { '@tool/cli-linux-x64-musl': '1.2.3', '@tool/cli-darwin-arm64': '1.2.3' },
};

test('a platform that the registry did not serve is added with what its name says', () => {
  const here = { version: '1.2.3', optional: true };
  const packages = { 'node_modules/tool': tool, 'node_modules/@tool/cli-darwin-arm64': here };
  expect(missingPlatforms({ packages })).toEqual({
    'node_modules/@tool/cli-linux-x64-musl': {
      version: '1.2.3',
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
      dev: true,
      optional: true,
    },
  });
});

test('a range is left to npm', () => {
  const packages = { 'node_modules/a': { optionalDependencies: { fsevents: '~2.3.3' } } };
  expect(missingPlatforms({ packages })).toEqual({});
});
