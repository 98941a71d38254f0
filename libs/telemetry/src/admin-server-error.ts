import { unreachable } from '@robustmq/errors';

/** Why the admin server did not start. Nothing listens then. Codes are API. */
export type AdminServerFault =
  | { readonly code: 'ADMIN_PORT_IN_USE'; readonly address: string; readonly key: string }
  | { readonly code: 'ADMIN_PORT_NOT_PERMITTED'; readonly address: string; readonly key: string }
  | { readonly code: 'ADMIN_ADDRESS_NOT_AVAILABLE'; readonly address: string; readonly key: string }
  | { readonly code: 'ADMIN_LISTEN_FAILED'; readonly address: string; readonly detail: string };

export class AdminServerError extends Error {
  override readonly name = 'AdminServerError';
  readonly fault: AdminServerFault;

  constructor(fault: AdminServerFault, options?: ErrorOptions) {
    super(describe(fault), options);
    this.fault = fault;
  }
}

function describe(fault: AdminServerFault): string {
  switch (fault.code) {
    case 'ADMIN_PORT_IN_USE':
      return `cannot serve HTTP on ${fault.address}: the port is in use; stop its owner or change ${fault.key}`;
    case 'ADMIN_PORT_NOT_PERMITTED':
      return `cannot serve HTTP on ${fault.address}: this user may not bind the port; change ${fault.key}`;
    case 'ADMIN_ADDRESS_NOT_AVAILABLE':
      return `cannot serve HTTP on ${fault.address}: this machine does not have the address; change the host beside ${fault.key}`;
    case 'ADMIN_LISTEN_FAILED':
      return `cannot serve HTTP on ${fault.address}: ${fault.detail}`;
    default:
      return unreachable(fault);
  }
}

/** What a failed `listen` means; `key` is the configuration key of the port. */
export function listenFault(cause: unknown, address: string, key: string): AdminServerFault {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') return { code: 'ADMIN_PORT_IN_USE', address, key };
  if (code === 'EACCES') return { code: 'ADMIN_PORT_NOT_PERMITTED', address, key };
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return { code: 'ADMIN_ADDRESS_NOT_AVAILABLE', address, key };
  }
  return { code: 'ADMIN_LISTEN_FAILED', address, detail: String(cause) };
}
