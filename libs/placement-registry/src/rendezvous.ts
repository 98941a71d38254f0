/**
 * Which of some nodes a name belongs to: the same for everybody who knows the same nodes, and when a
 * node goes, only what belonged to it moves (Thaler and Ravishankar, "Using name-based mappings to
 * increase hit rates", 1998). The hash is FNV-1a over UTF-8, finished by an avalanche step.
 */

const utf8 = new TextEncoder();

/** The first `size` of the nodes in the order that `name` prefers. Does not depend on their order. */
export function preferredNodes(
  name: string,
  nodes: readonly number[],
  size: number,
): readonly number[] {
  const weighed = nodes.map((node) => ({ node, weight: hashOf(`${node} ${name}`) }));
  weighed.sort((first, second) => second.weight - first.weight || first.node - second.node);
  return weighed.slice(0, size).map(({ node }) => node);
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
