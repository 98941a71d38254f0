/** One thing that was looked at. `detail` is for people: why not, or a value; never a secret. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** The answer to one health question; `ok` is true when every check is. */
export interface HealthReport {
  readonly ok: boolean;
  readonly checks: readonly HealthCheck[];
}

/**
 * What the broker tells about itself. Each call returns at once.
 *
 * `live`: false asks the supervisor to restart the process, so a full disk or a missing peer is no
 * reason. `started`: recovery and start are over. `ready`: clients may be sent here now (listeners
 * up, recovery done, journal accepting).
 */
export interface HealthSource {
  readonly live: () => HealthReport;
  readonly started: () => HealthReport;
  readonly ready: () => HealthReport;
}

/** A report whose `ok` follows from its checks. */
export function healthReport(checks: readonly HealthCheck[]): HealthReport {
  return { ok: checks.every((check) => check.ok), checks };
}
