import pino from 'pino';
import type { Logger } from 'pino';

/** How and what a process logs. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'pretty';
}

/** A logger on standard output; entries are written before the call returns, so that none is lost at a crash. */
export function processLogger(options: LogOptions): Logger {
  const settings = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (options.format === 'json') return pino(settings, pino.destination({ dest: 1, sync: true }));
  return pino(settings, { write: (line: string) => process.stdout.write(prettyLine(line)) });
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info ',
  40: 'warn ',
  50: 'error',
  60: 'fatal',
};

/** One JSON entry as a line for people: time, level, message, the remaining fields. */
export function prettyLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  const words = [clock, LEVELS[Number(level)] ?? String(level), String(msg ?? ''), ...rest];
  return `${words.join(' ').trimEnd()}\n`;
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /[\s"]/.test(value) ? JSON.stringify(value) : value;
  return JSON.stringify(value) ?? '';
}
