/**
 * Which limits do the sources name? A tag `LIMIT: name, other` in a comment marks a bound; without a
 * name, what is declared next is its name.
 */

import type { SourceFile, Workspace } from './workspace.ts';

export interface LimitTag {
  readonly name: string;
  /** The folder of the package below `libs/` or `services/`. */
  readonly package: string;
}

/** `journalBytesMax` or `log-pending-bytes`: no plain word of a sentence. */
const NAME = /^[a-z]+(?:[A-Z][A-Za-z0-9]*|-[a-z-]+)$/;
/** What a declaration begins with. */
const DECLARES = new Set(['const', 'class', 'readonly']);

/** Every tag of the sources, tests left out, in the order of the files. */
export function limitTags(workspace: Workspace): readonly LimitTag[] {
  return workspace.packages.flatMap((each) =>
    each.files
      .filter((file) => file.role === 'source')
      .flatMap((file) => namesIn(file))
      .map((name) => ({ name, package: each.folder.split('/').at(-1) ?? '' })),
  );
}

/** The names of the limits that one file tags. */
export function namesIn(file: SourceFile): readonly string[] {
  return file.tokens.flatMap((token, index) => {
    const told = token.kind === 'comment' ? /LIMIT: ([^.;(\n*]*)/.exec(token.text)?.[1] : undefined;
    if (told === undefined) return [];
    const words = told.split(',').map((part) => part.trim().split(' ', 1)[0] ?? '');
    const after = words.findIndex((word) => !NAME.test(word));
    const names = after === -1 ? words : words.slice(0, after);
    return names.length > 0 ? names : [declaredAfter(file, index)];
  });
}

function declaredAfter(file: SourceFile, index: number): string {
  const following = file.tokens.slice(index + 1);
  return following[following.findIndex(({ text }) => DECLARES.has(text)) + 1]?.text ?? '';
}
