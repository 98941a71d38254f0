/** Entries of a damaged replica from the other members of its group. */
import { type ChannelTls, defaultChannelLimits, openChannel, repairService } from '@robustmq/rpc';

/** How long one server may take. */
const ANSWER_MS = 10_000;

/** Where the other members are, and how they are spoken to. */
export interface EntrySources {
  readonly clusterName: string;
  readonly tls: ChannelTls | null;
  readonly token: string | null;
  readonly messageBytesMax: number;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** As `host:port`; null: not known. */
  readonly addressOf: (node: number) => string | null;
}

/** What is missing, and who may have it. */
export interface WantedEntries {
  readonly groupId: number;
  readonly from: number;
  readonly through: number;
  readonly nodes: readonly number[];
}

/**
 * Asks one node after the other.
 *
 * @returns null when all have answered and none has them
 * @throws Error  none gave them, and the message says which did not answer
 */
export async function fetchEntries(
  sources: EntrySources,
  { nodes, ...range }: WantedEntries,
): Promise<Uint8Array | null> {
  const silent: string[] = [];
  for (const node of nodes) {
    const address = sources.addressOf(node);
    if (address === null) {
      silent.push(`the address of node ${node} is not known`);
      continue;
    }
    try {
      const entries = await askNode(sources, address, range);
      if (entries !== null) return entries;
    } catch (error) {
      silent.push(`node ${node}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (silent.length > 0) throw new Error(silent.join('; '));
  return null;
}

async function askNode(
  { clusterName, tls, token, messageBytesMax, signal }: EntrySources,
  address: string,
  range: Omit<WantedEntries, 'nodes'>,
): Promise<Uint8Array | null> {
  // Damage is rare: no connection is kept for it.
  const limits = { ...defaultChannelLimits, messageBytesMax };
  const channel = openChannel({ address, tls, token, limits });
  try {
    const { readEntries } = channel.clientOf(repairService);
    const call = { deadlineMs: ANSWER_MS, signal };
    return (await readEntries({ clusterName, ...range }, call)).entries;
  } finally {
    channel.close();
  }
}
