/** `http://host:port` from either `host:port` or a whole URL. */
export function httpUrl(address: string): string {
  return (address.includes('://') ? address : `http://${address}`).replace(/\/$/, '');
}
