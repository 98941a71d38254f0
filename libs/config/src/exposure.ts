/** What must not be said together about a port that is open to other machines. */
import { isIPv4, isIPv6 } from 'node:net';
import type { ClusterTokenKeys } from './cluster-token-keys.ts';
import type { KeyFault } from './key-fault.ts';
import type { TlsSection } from './tls-section.ts';

/** Of `[tls]` alone. */
export function tlsFaults(tls: TlsSection): readonly KeyFault[] {
  if (!tls.enable) return [];
  const faults: KeyFault[] = [];
  for (const key of ['cert', 'key'] as const) {
    if (tls[key] === '') faults.push({ key: `tls.${key}`, message: 'is empty, but TLS needs it' });
  }
  if (tls.client_certificate === 'required' && tls.ca === '') {
    faults.push({
      key: 'tls.ca',
      message: 'is empty: nothing to check client certificates against',
    });
  }
  return faults;
}

/**
 * Others could change the cluster: they must show something.
 *
 * @param what  would be open: `the placement center`
 */
export function exposureFaults(
  node: ClusterTokenKeys & { readonly addr: string },
  tls: TlsSection,
  what: string,
): readonly KeyFault[] {
  if (isLoopbackHost(node.addr)) return [];
  if (node.cluster_token !== '' || node.cluster_token_file !== '') return [];
  if (tls.enable && tls.client_certificate === 'required') return [];
  return [
    {
      key: 'addr',
      message:
        `is "${node.addr}": ${what} would be open to other machines. ` +
        'Set cluster_token_file, or require client certificates ([tls] client_certificate = "required"), or listen on 127.0.0.1',
    },
  ];
}

/** Whether nobody but this machine can reach an address. Names other than `localhost` may point anywhere. */
export function isLoopbackHost(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  if (isIPv4(host)) return host.startsWith('127.');
  return isIPv6(host) && /^::ffff:127\./i.test(host);
}
