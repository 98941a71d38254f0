/** Writes the reference pages of this package: `node --conditions=source libs/telemetry/src/write-reference.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logEventsReferencePage, metricsReferencePage } from './reference-page.ts';

const directory = join(import.meta.dirname, '../../../docs/reference');
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'metrics.md'), metricsReferencePage());
writeFileSync(join(directory, 'log-events.md'), logEventsReferencePage());
