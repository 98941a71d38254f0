/** How a connection came to its end. */
export type ConnectionEnd =
  /** This side closed it. */
  | { readonly kind: 'closed' }
  /** The server closed the stream without a word. */
  | { readonly kind: 'ended' }
  /** The server said DISCONNECT (MQTT-5.0 §3.14). */
  | { readonly kind: 'disconnected'; readonly reasonCode: number; readonly reason: string }
  /** Network, TLS, keep alive or protocol fault. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Why an operation failed.
 *
 * After `CLIENT_CLOSED` and `CLIENT_TIMED_OUT` the outcome of a publish is unknown: the server may
 * or may not have taken the message. After the others it is known: it has not.
 */
export type ClientFault =
  | { readonly code: 'CLIENT_UNREACHABLE'; readonly address: string; readonly reason: string }
  | {
      readonly code: 'CLIENT_CONNECT_REFUSED';
      readonly reasonCode: number;
      readonly reason: string;
    }
  | {
      readonly code: 'CLIENT_REFUSED';
      readonly operation: string;
      readonly reasonCode: number;
      readonly reason: string;
    }
  | { readonly code: 'CLIENT_TIMED_OUT'; readonly operation: string; readonly timeoutMs: number }
  | { readonly code: 'CLIENT_CLOSED'; readonly operation: string; readonly end: ConnectionEnd };

export class MqttClientError extends Error {
  override readonly name = 'MqttClientError';
  readonly fault: ClientFault;

  constructor(fault: ClientFault, options?: ErrorOptions) {
    super(describeFault(fault), options);
    this.fault = fault;
  }
}

function describeFault(fault: ClientFault): string {
  switch (fault.code) {
    case 'CLIENT_UNREACHABLE':
      return `cannot reach ${fault.address}: ${fault.reason}`;
    case 'CLIENT_CONNECT_REFUSED':
      return `the server refused the connection: ${fault.reason} (${hexadecimal(fault.reasonCode)})`;
    case 'CLIENT_REFUSED':
      return `the server refused the ${fault.operation}: ${fault.reason} (${hexadecimal(fault.reasonCode)})`;
    case 'CLIENT_TIMED_OUT':
      return `no answer to the ${fault.operation} within ${String(fault.timeoutMs)} ms`;
    case 'CLIENT_CLOSED':
      return `the connection ended during the ${fault.operation}: ${describeEnd(fault.end)}`;
  }
}

/** An end of a connection, in words. */
export function describeEnd(end: ConnectionEnd): string {
  switch (end.kind) {
    case 'closed':
      return 'closed by this client';
    case 'ended':
      return 'closed by the server';
    case 'disconnected':
      return `the server disconnected: ${end.reason} (${hexadecimal(end.reasonCode)})`;
    case 'failed':
      return end.reason;
  }
}

function hexadecimal(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`;
}
