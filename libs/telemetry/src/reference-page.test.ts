import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logEventsReferencePage, metricsReferencePage } from './reference-page.ts';

const directory = join(import.meta.dirname, '../../../docs/reference');
const hint = 'run: node --conditions=source libs/telemetry/src/write-reference.ts';

test('docs/reference/metrics.md lists exactly the metrics of the catalogue', () => {
  expect(readFileSync(join(directory, 'metrics.md'), 'utf8'), hint).toBe(metricsReferencePage());
});

test('docs/reference/log-events.md lists exactly the events of the catalogue', () => {
  expect(readFileSync(join(directory, 'log-events.md'), 'utf8'), hint).toBe(
    logEventsReferencePage(),
  );
});
