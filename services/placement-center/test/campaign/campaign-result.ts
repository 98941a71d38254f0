import { type CampaignResult, atLeast, atMost, holds, told } from '@robustmq/campaign';
import type { Placement } from '@robustmq/placement';
import { checkHistory } from '@robustmq/simulator';
import type { PlacementCluster } from './placement-cluster.ts';
import type { WatchAudit } from './watch-audit.ts';
import type { Workload } from './workload.ts';

/** Says what a campaign is doing, for those who wait. */
export type Tell = (progress: string) => void;

const AUDIT_LIMIT_MS = 60_000;
const PAGE = 1000;

/** Whether every promise that was given to the clients was kept. */
export async function auditPromises(
  cluster: PlacementCluster,
  workload: Workload,
  watch: WatchAudit,
): Promise<CampaignResult> {
  await watch.finish(workload.ledger, AUDIT_LIMIT_MS);
  const placement = cluster.connect();
  const present = await keysUnder(placement, 'ledger/');
  await placement.close();
  const lost = workload.ledger.filter(({ key }) => !present.has(key)).map(({ key }) => key);
  const acknowledged = new Set(workload.ledger.map(({ key }) => key));
  const invented = [...present].filter(
    (key) => !acknowledged.has(key) && !workload.doubtful.has(key),
  );
  const verdict = checkHistory(workload.history);
  return {
    figures: [
      told('operations on registers', workload.history.length),
      told('of unknown outcome', verdict.unknown + workload.doubtful.size),
      told('refused', workload.refused),
      holds('history linearizable', verdict.linearizable),
      atLeast('acknowledged writes of own keys', workload.ledger.length, 1),
      atMost('lost', lost.length, 0),
      atMost('never written, but there', invented.length, 0),
      atMost('watch: gaps, repeats, disorder', watch.faults.length, 0),
      atMost('unasked exits', cluster.crashes, 0),
    ],
    examples: [
      ...(verdict.linearizable ? [] : [verdict.text]),
      ...[...lost, ...invented, ...watch.faults].slice(0, 5),
      ...(cluster.crashes > 0 ? [cluster.lastWords()] : []),
    ],
  };
}

async function keysUnder(placement: Placement, prefix: string): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const after = `${prefix.slice(0, -1)}0`; // The character after the slash.
  let first = prefix;
  for (;;) {
    const reply = await placement.range(
      { range: { first, after }, limit: PAGE, content: 'keys', consistency: 'linearizable' },
      { deadlineMs: 30_000, signal: null },
    );
    for (const { key } of reply.keyValues) keys.add(key);
    const last = reply.keyValues.at(-1)?.key;
    if (!reply.more || last === undefined) return keys;
    first = `${last}\0`;
  }
}
