/**
 * Adds the platform packages that package-lock.json lacks; see check-lockfile.ts.
 *
 * usage: node scripts/complete-lockfile.ts      after every npm install that changed the lock file
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { type Lockfile, missingPlatforms } from './check-lockfile.ts';

const path = new URL('../package-lock.json', import.meta.url);
const lockfile = JSON.parse(readFileSync(path, 'utf8')) as Lockfile;
const missing = missingPlatforms(lockfile);
const packages = Object.entries({ ...lockfile.packages, ...missing }).toSorted(([left], [right]) =>
  left < right ? -1 : 1,
);
const text = JSON.stringify({ ...lockfile, packages: Object.fromEntries(packages) }, null, 2);
writeFileSync(path, `${text}\n`);
console.log(`${Object.keys(missing).length} packages added to package-lock.json`);
