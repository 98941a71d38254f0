import { httpUrl } from './http-url.ts';

/** Whether clients may be sent there now. */
export const HEALTH_PATH = '/health/ready';

/** What it answered, or why it did not. */
export type Health =
  | { readonly kind: 'answered'; readonly statusCode: number; readonly body: unknown }
  | { readonly kind: 'silent'; readonly reason: string };

const HEALTH_TIMEOUT_MS = 3000;

/** Asks a broker's HTTP server how it is. Never throws for what the network does. */
export async function askHealth(httpAddress: string): Promise<Health> {
  try {
    const response = await fetch(`${httpUrl(httpAddress)}${HEALTH_PATH}`, {
      signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
    });
    const text = await response.text();
    return { kind: 'answered', statusCode: response.status, body: jsonOrText(text) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { kind: 'silent', reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
