/** Clients in a closed loop: each puts, waits, and puts again. */

export interface PutTarget {
  put(key: string, value: Uint8Array): Promise<unknown>;
  close(): Promise<void>;
}

export interface PutLoad {
  readonly clients: number;
  readonly seconds: number;
  readonly valueBytes: number;
  /** Keys are drawn in turn from so many. */
  readonly keys: number;
}

export interface PutFigures {
  readonly putsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  /** Share of one core that the generator itself used. */
  readonly generatorCpu: number;
}

const WARM_UP_SECONDS = 2;

export async function runPutLoad(target: PutTarget, load: PutLoad): Promise<PutFigures> {
  const beginMs = performance.now() + WARM_UP_SECONDS * 1000;
  const endMs = beginMs + load.seconds * 1000;
  const latencies: number[] = [];
  let failures = 0;
  let turn = 0;
  const value = new Uint8Array(load.valueBytes).map((_, index) => (index * 31) & 0xff);
  const runClient = async (): Promise<void> => {
    for (let nowMs = performance.now(); nowMs < endMs; ) {
      turn += 1;
      const key = `bench/${String(turn % load.keys).padStart(8, '0')}`;
      const failed = await target.put(key, value).then(
        () => false,
        () => true,
      );
      const doneMs = performance.now();
      if (failed) failures += 1;
      else if (nowMs >= beginMs && doneMs < endMs) latencies.push(doneMs - nowMs);
      nowMs = doneMs;
    }
  };
  const cpuBefore = process.cpuUsage();
  await Promise.all(Array.from({ length: load.clients }, runClient));
  const cpu = process.cpuUsage(cpuBefore);
  latencies.sort((left, right) => left - right);
  const quantile = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return {
    putsPerSecond: latencies.length / load.seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    failures,
    generatorCpu: (cpu.user + cpu.system) / 1e6 / (load.seconds + WARM_UP_SECONDS),
  };
}
