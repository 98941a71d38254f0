/** `node scripts/bench-journal.ts --help` says what it measures; the folder beside this file is a project of its own. */

const program = new URL('bench/journal/run-journal-bench.ts', import.meta.url);
await import(program.href);
