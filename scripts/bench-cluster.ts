/** `node scripts/bench-cluster.ts --help` says what it measures; the folder beside this file is a project of its own. */

const program = new URL('bench/cluster/run-cluster-bench.ts', import.meta.url);
await import(program.href);
