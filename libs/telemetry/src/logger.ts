import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { EventRateLimiter } from './event-rate-limiter.ts';
import { type LogEvent, logEvents, type LogFields, type LogLevel } from './log-events.ts';
import { prettyLine } from './pretty-line.ts';
import { redactFields } from './redaction.ts';
import { RotatingFile } from './rotating-file.ts';

export interface LoggerOptions {
  readonly level: LogLevel | 'silent';
  readonly format: 'json' | 'pretty';
  /** A file, or null for standard output. */
  readonly destination: string | null;
  /** Files only (`log_segment_size`): size at which the file is set aside. */
  readonly segmentBytesMax: number;
  /** Files only (`log_file_num`): files in all, the current one included. */
  readonly filesMax: number;
}

/** Where log lines go; used through {@link log}. */
export interface Logger {
  readonly sink: PinoLogger;
  readonly limiter: EventRateLimiter;
  /** Milliseconds that never go back, for rate limits. */
  readonly nowMs: () => number;
  /** Writes counts of suppressed lines, then everything queued, synchronously. For last words. */
  readonly flushSync: () => void;
  /** Writes everything and frees the destination. Nothing is logged afterwards. */
  readonly close: () => Promise<void>;
}

/** What takes finished lines. */
export interface LogDestination {
  readonly write: (line: string) => void;
  readonly flushSync: () => void;
  readonly close: () => Promise<void>;
}

const SUPPRESSION_REPORT_MS = 1_000;
const STANDARD_OUTPUT_PENDING_MAX = 1024 * 1024; // LIMIT: log-pending-bytes

/**
 * Opens a log.
 *
 * No worker and no transport of pino is used: lines are formatted on the calling thread, so a bundle
 * needs no second file. A slow destination never blocks the caller; beyond 1 MiB lines are dropped.
 *
 * @throws the system's error when the file cannot be opened
 */
export function createLogger(options: LoggerOptions): Logger {
  const { destination, segmentBytesMax, filesMax } = options;
  if (destination === null) return createLoggerTo(standardOutput(), options, 'terminal');
  const file = new RotatingFile({ path: destination, segmentBytesMax, filesMax });
  const target: LogDestination = {
    write: (line) => file.write(line),
    flushSync: () => file.flushSync(),
    close: () => file.close(),
  };
  return createLoggerTo(target, options, 'file');
}

/** A log into any destination: memory in tests. `medium` decides about colours. */
export function createLoggerTo(
  destination: LogDestination,
  options: Pick<LoggerOptions, 'level' | 'format'>,
  medium: 'terminal' | 'file',
): Logger {
  const colours = medium === 'terminal' && process.stdout.isTTY && !process.env['NO_COLOR'];
  const stream: DestinationStream =
    options.format === 'json'
      ? { write: (line) => destination.write(line) }
      : { write: (line) => destination.write(prettyLine(line, colours ? 'on' : 'off')) };
  const sink = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Errors are described by redactFields already; pino's own serializer would do it again.
      serializers: { err: (error: unknown) => error },
      // No field has this key, so pino does not repeat an error's message, uncut, as `msg`.
      errorKey: 'noErrorKey',
      formatters: { level: (label) => ({ level: label }), log: redactFields },
    },
    stream,
  );
  const limiter = new EventRateLimiter();
  const timer = setInterval(() => reportSuppressed(logger), SUPPRESSION_REPORT_MS).unref();
  const logger: Logger = {
    sink,
    limiter,
    nowMs: () => performance.now(),
    flushSync: () => {
      reportSuppressed(logger);
      destination.flushSync();
    },
    close: async () => {
      clearInterval(timer);
      reportSuppressed(logger);
      sink.level = 'silent';
      await destination.close();
    },
  };
  return logger;
}

/**
 * Writes one line: time, level, the event's name and its fields; secrets are redacted.
 *
 * Costs next to nothing when the level is off, but the caller has made `fields` by then: never call it
 * per message.
 */
export function log<Event extends LogEvent>(
  logger: Logger,
  event: Event,
  fields: LogFields<Event>,
): void {
  if (!logger.sink.isLevelEnabled(event.level)) return;
  const admitted = logger.limiter.admit(event.name, event.perSecondMax, logger.nowMs());
  if (admitted.verdict === 'suppress') return;
  write(logger, event, fields, admitted.suppressed);
}

function write(
  logger: Logger,
  event: LogEvent,
  fields: Readonly<Record<string, unknown>>,
  suppressed: number,
): void {
  const line: Record<string, unknown> = { event: event.name, ...fields };
  if (suppressed > 0) line['suppressed'] = suppressed;
  logger.sink[event.level](line);
}

/** Tells what was left out and never followed by another line of the same event. */
export function reportSuppressed(logger: Logger): void {
  for (const { event, lines } of logger.limiter.takeSuppressed()) {
    write(logger, logEvents.logSuppressed, { suppressedEvent: event, lines }, 0);
  }
}

function standardOutput(): LogDestination {
  const output = pino.destination({ dest: 1, sync: false, maxLength: STANDARD_OUTPUT_PENDING_MAX });
  output.on('error', () => undefined); // A reader that went away must not stop the broker.
  return {
    write: (line) => {
      output.write(line);
    },
    flushSync: () => output.flushSync(),
    close: () => new Promise((resolve) => output.flush(() => resolve())),
  };
}
