/** Maps of node numbers to addresses, as the processes of a cluster have them. */
import type { KeyFault } from './key-fault.ts';

const NODE_NUMBER_MAX = 65_535;

/** Whether a text is "host:port"; an IPv6 address stands in brackets. */
export function isHostAndPort(text: string): boolean {
  return /^(\[[0-9a-f:.]+\]|[^:\s]+):\d{1,5}$/i.test(text);
}

/** Of the key `nodes`: numbers and addresses that cannot be. */
export function nodesFaults(nodes: Readonly<Record<string, string>>): readonly KeyFault[] {
  const faults: KeyFault[] = [];
  const refuse = (message: string): void => void faults.push({ key: 'nodes', message });
  for (const [id, address] of Object.entries(nodes)) {
    if (!/^[1-9]\d{0,4}$/.test(id) || Number(id) > NODE_NUMBER_MAX) {
      refuse(`names "${id}", expected node numbers from 1 to ${NODE_NUMBER_MAX}`);
    }
    if (!isHostAndPort(address)) {
      refuse(`has "${address}" for node ${id}, expected "host:port"`);
    }
  }
  return faults;
}

/**
 * A process that listens elsewhere than the others are told is never reached.
 *
 * @param listening  its port; 0 when the system chooses one
 * @param told  its address in the others' `nodes`
 * @param who  `this member`
 */
export function ownPortFaults(listening: number, told: string, who: string): readonly KeyFault[] {
  if (listening === 0 || Number(told.slice(told.lastIndexOf(':') + 1)) === listening) return [];
  const message = `is ${listening}, but nodes tells the others to reach ${who} at ${told}`;
  return [{ key: 'grpc_port', message }];
}
