import { bytesKey, choiceKey, integerKey, textKey } from './key-kinds.ts';
import type { SectionDeclaration } from './schema.ts';

/** `[log]`, the same in every process that writes one. */
export interface LogSection {
  readonly log_level: 'debug' | 'info' | 'warn' | 'error';
  readonly log_format: 'auto' | 'json' | 'pretty';
  readonly log_path: string;
  readonly log_segment_size: number;
  readonly log_file_num: number;
}

/** @param levelReason  why the level is `info` in this process, or what another one brings */
export function logSection(levelReason: string): SectionDeclaration<LogSection> {
  return {
    kind: 'section',
    name: 'log',
    meaning: 'The log. A foreground process writes it to standard output.',
    keys: {
      log_level: choiceKey({
        default: 'info',
        choices: ['debug', 'info', 'warn', 'error'],
        meaning: 'The least severe entries that are written.',
        reason: levelReason,
      }),
      log_format: choiceKey({
        default: 'auto',
        choices: ['auto', 'json', 'pretty'],
        meaning: '"json": one object a line. "pretty": for people. "auto": pretty on a terminal.',
        reason: 'Log collectors read JSON.',
      }),
      log_path: textKey({
        default: 'logs',
        allowEmpty: false,
        meaning: 'The directory of the log file of a process started with --daemon.',
        reason: 'Relative to the working directory, beside data.',
        aliases: ['log_path'],
      }),
      log_segment_size: bytesKey({
        default: 64 * 2 ** 20,
        minimum: 64 * 1024,
        maximum: 2 ** 40,
        meaning: 'The size at which the log file is set aside and a new one begun.',
        reason: 'Small enough to open in an editor.',
        aliases: ['log_segment_size'],
      }),
      log_file_num: integerKey({
        default: 8,
        minimum: 1,
        maximum: 10_000,
        meaning: 'Log files that are kept, the current one included; the oldest is removed.',
        reason: 'With log_segment_size it bounds the disk that logs take.',
        aliases: ['log_file_num'],
      }),
    },
  };
}
