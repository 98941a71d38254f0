/** Which codes do the sources give to faults? Codes are texts such as `JOURNAL_FULL`. */

import { stringValue } from './source-tokens.ts';
import type { Workspace } from './workspace.ts';

const CODE = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;
/** Names of environment variables look alike. */
const VARIABLE = /^(?:ROBUST|ROBUSTMQ|ROBUSTCTL|NO)_/;
/** Codes and options of libraries that the sources compare with or pass on. */
const OF_LIBRARIES: ReadonlySet<string> = new Set(['LEVEL_LOCKED', 'WHEN_REQUIRED']);

/** Every code of the packages that are not for tests alone, sorted. */
export function faultCodes(workspace: Workspace): readonly string[] {
  const tokens = workspace.packages
    .filter((each) => each.layer !== 'test')
    .flatMap((each) => each.files)
    .filter((file) => file.role === 'source')
    .flatMap((file) => file.tokens);
  const texts = tokens.filter((token) => token.kind === 'string').map(stringValue);
  const isOurs = (text: string): boolean =>
    CODE.test(text) && !VARIABLE.test(text) && !OF_LIBRARIES.has(text);
  return [...new Set(texts.filter(isOurs))].sort();
}
