import { getSystemErrorMap } from 'node:util';

/** A negative errno value in words, such as `ECONNRESET: connection reset by peer`. */
export function describeStatus(status: number): string {
  const entry = getSystemErrorMap().get(status);
  return entry === undefined ? `system error ${status}` : `${entry[0]}: ${entry[1]}`;
}
