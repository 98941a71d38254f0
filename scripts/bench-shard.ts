/** `node scripts/bench-shard.ts --help` says what it measures; the folder beside this file is a project of its own. */

const program = new URL('bench/shard/run-shard-bench.ts', import.meta.url);
await import(program.href);
