import type { TimerHandle, Timers } from '@robustmq/environment';
import type { cluster } from '@robustmq/rpc';
import { expect, test } from 'vitest';
import { PeerCheck } from './peer-check.ts';

const OWN = { clusterName: 'test', clusterId: 'test', founders: [1, 2, 3], nodeId: 1 };
const NODES = new Map([
  [1, 'a:1'],
  [2, 'a:2'],
  [3, 'a:3'],
]);

/** Peers that answer what the test lets them, and the pause between two rounds. */
class Peers {
  readonly answers: Map<string, number> = new Map<string, number>();
  readonly removed: Set<number> = new Set<number>();
  readonly mistakes: string[] = [];
  asked: string[] = [];
  #again: (() => void) | null = null;

  start(): void {
    const timers: Timers = {
      after: (_milliseconds, action): TimerHandle => {
        this.#again = action;
        return { cancel: () => undefined };
      },
      every: () => ({ cancel: () => undefined }),
      soon: (action) => setImmediate(action),
    };
    const ask = async (address: string): Promise<cluster.StatusReply> => {
      this.asked.push(address);
      const nodeId = this.answers.get(address);
      if (nodeId === undefined) throw new Error('nobody answers');
      const { clusterName, clusterId, founders } = OWN;
      return { clusterName, clusterId, founders, nodeId } as unknown as cluster.StatusReply;
    };
    const options = { clusterName: 'test', nodeId: 1, nodes: NODES, ask, timers };
    new PeerCheck(options, OWN, {
      isPeer: (node) => !this.removed.has(node),
      onMistake: ({ message }) => this.mistakes.push(message),
    }).start();
  }

  /** @returns whom the next round asks */
  async nextRound(): Promise<readonly string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    this.asked = [];
    const again = this.#again;
    this.#again = null;
    again?.();
    await new Promise((resolve) => setImmediate(resolve));
    return this.asked;
  }
}

test('a peer is asked until it has answered once', async () => {
  const peers = new Peers();
  peers.answers.set('a:2', 2);
  peers.start();
  expect(await peers.nextRound()).toEqual(['a:3']);
  peers.answers.set('a:3', 3);
  expect(await peers.nextRound()).toEqual(['a:3']);
  expect(await peers.nextRound()).toEqual([]);
  expect(peers.mistakes).toEqual([]);
});

test('a stranger is a mistake', async () => {
  const peers = new Peers();
  peers.answers.set('a:3', 4);
  peers.start();
  await peers.nextRound();
  expect(peers.mistakes).toEqual([expect.stringContaining('says that it is member 4')]);
});

test('at the address of a removed member that never answered nobody is a stranger', async () => {
  const peers = new Peers();
  peers.answers.set('a:2', 2);
  peers.start();
  await peers.nextRound();
  peers.removed.add(3);
  peers.answers.set('a:3', 4);
  expect(await peers.nextRound()).toEqual([]);
  expect(peers.mistakes).toEqual([]);
});
