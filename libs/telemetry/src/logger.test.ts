import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { logEvents } from './log-events.ts';
import type { LogEvent } from './log-events.ts';
import { createLogger, createLoggerTo, log, type Logger } from './logger.ts';
import { prettyLine } from './pretty-line.ts';

/** A log into memory whose clock stands still. */
function memoryLogger(
  level: 'debug' | 'info',
  format: 'json' | 'pretty',
): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const destination = {
    write: (line: string) => {
      lines.push(line);
    },
    flushSync: () => undefined,
    close: () => Promise.resolve(),
  };
  const logger = createLoggerTo(destination, { level, format }, 'file');
  return { logger: { ...logger, nowMs: () => 0 }, lines };
}

const refused = {
  clientId: 'c1',
  username: 'u',
  remoteAddress: '192.0.2.1',
  listener: 'tcp',
  reasonCode: 0x86,
};

describe('the log', () => {
  test('writes one JSON line per event with time, level, name and fields', () => {
    const { logger, lines } = memoryLogger('info', 'json');
    log(logger, logEvents.clientRefused, refused);
    expect(lines).toHaveLength(1);
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(rest).toEqual({ level: 'info', event: 'client.refused', ...refused });
  });

  test('writes nothing below its level', () => {
    const { logger, lines } = memoryLogger('info', 'json');
    log(logger, logEvents.sessionExpired, { clientId: 'c1' });
    expect(lines).toEqual([]);
  });

  test('keeps a flood of one event to its rate and tells how many were left out', async () => {
    const { logger, lines } = memoryLogger('info', 'json');
    for (let index = 0; index < 1_000; index++) log(logger, logEvents.clientRefused, refused);
    log(logger, logEvents.sessionExpired, { clientId: 'c1' });
    expect(lines).toHaveLength(logEvents.clientRefused.perSecondMax);
    await logger.close();
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      event: 'log.suppressed',
      suppressedEvent: 'client.refused',
      lines: 1_000 - logEvents.clientRefused.perSecondMax,
    });
  });

  test('writes an error with message, code, fault and cause', () => {
    const { logger, lines } = memoryLogger('info', 'json');
    const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    log(logger, logEvents.taskFailed, { task: 'trim', err: new Error('trim failed', { cause }) });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      err: { type: 'Error', message: 'trim failed', cause: { code: 'ENOSPC' } },
    });
    expect(lines[0]).not.toContain('"msg"');
  });

  test('writes lines for people on request', () => {
    const { logger, lines } = memoryLogger('info', 'pretty');
    log(logger, logEvents.listenerStopped, { listener: 'tcp' });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}listener\.stopped listener="tcp"\n$/);
  });

  test('goes to a file and is whole once closed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'logger-'));
    try {
      const destination = join(directory, 'broker.log');
      const limits = { segmentBytesMax: 1e6, filesMax: 2 };
      const logger = createLogger({ level: 'info', format: 'json', destination, ...limits });
      log(logger, logEvents.listenerStopped, { listener: 'tcp' });
      await logger.close();
      log(logger, logEvents.listenerStopped, { listener: 'late' });
      expect(readFileSync(destination, 'utf8')).toMatch(
        /"event":"listener.stopped","listener":"tcp"}\n$/,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('the pretty format', () => {
  test('lets no client forge a line or send codes to the terminal', () => {
    const clientId = 'x\n2026 INFO forged \u001b[31m\u009b31m\u007f';
    const line = prettyLine(
      JSON.stringify({ time: '', level: 'info', event: 'e', clientId }),
      'off',
    );
    expect(line.indexOf('\n')).toBe(line.length - 1);
    // oxlint-disable-next-line no-control-regex
    expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  test('passes on what is not JSON', () => {
    expect(prettyLine('plain text\n', 'on')).toBe('plain text\n');
  });
});

describe('the events of the catalogue', () => {
  const events = Object.values<LogEvent>(logEvents);

  test('have each name once, as area.what_happened', () => {
    const names = events.map((event) => event.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z_]+\.[a-z_]+$/);
  });

  test('never use a field that the line itself has', () => {
    const own = ['time', 'level', 'event', 'msg', 'suppressed'];
    for (const event of events)
      expect(own).not.toEqual(expect.arrayContaining([...event.fields, '']));
    expect(events.flatMap((event) => event.fields).filter((field) => own.includes(field))).toEqual(
      [],
    );
  });

  test('bound what clients can cause at info and above to 50 lines a second', () => {
    for (const event of events.filter(({ level }) => level !== 'debug')) {
      expect(event.perSecondMax).toBeLessThanOrEqual(event.name === 'log.suppressed' ? 100 : 50);
    }
  });
});
