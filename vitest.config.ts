import { defineConfig } from 'vitest/config';

/** Tests run the TypeScript sources directly: every workspace package exports them under `source`. */
const sourceConditions = {
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
};

const unit = {
  name: 'unit',
  include: [
    'libs/*/src/**/*.test.ts',
    'libs/*/test/**/*.test.ts',
    'scripts/**/*.test.ts',
    'services/*/src/**/*.test.ts',
  ],
  testTimeout: 30_000,
  hookTimeout: 30_000,
};

/** Real processes and sockets: each file at its own time, so that none steals the other's machine. */
const e2e = {
  name: 'e2e',
  include: ['services/*/test/**/*.test.ts'],
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

/** Long random runs, only when asked for: `make fuzz`. */
const fuzz = {
  name: 'fuzz',
  include: ['libs/*/src/**/*.fuzz.ts', 'services/*/test/**/*.fuzz.ts'],
  testTimeout: 3_600_000,
  hookTimeout: 120_000,
};

const suites = process.env['ROBUSTMQ_FUZZ'] === '1' ? [fuzz] : [unit, e2e];

export default defineConfig({
  test: {
    projects: suites.map((test) => ({ ...sourceConditions, test })),
    coverage: { include: ['libs/*/src/**/*.ts', 'services/*/src/**/*.ts'] },
  },
});
