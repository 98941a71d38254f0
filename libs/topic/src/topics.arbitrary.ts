import fc from 'fast-check';

/**
 * Topics for property tests: few letters, so that filters and names meet often, with empty levels,
 * `$` and a level that is too long to be copied by a slice.
 */
const letter = fc.constantFrom('', 'a', 'b', '$s', 'a-level-of-some-length');
const filterLevel = fc.oneof(letter, letter, fc.constant('+'));

export const anyName: fc.Arbitrary<string> = fc
  .array(letter, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
  .filter((name) => name !== '');

export const anyFilter: fc.Arbitrary<string> = fc
  .tuple(fc.array(filterLevel, { maxLength: 4 }), fc.boolean())
  .map(([levels, hash]) => (hash ? [...levels, '#'] : levels).join('/'))
  .filter((filter) => filter !== '');

/** A twin of the matcher that is simple enough to be obviously right. Only for tests. */
export function expressionOf(filter: string): RegExp {
  const body = filter
    .replace(/[$^.*?()[\]{}|\\]/g, '\\$&')
    .replace(/\+/g, '[^/]*')
    .replace(/\/#$/, '(/.*)?')
    .replace(/^#$/, '.*');
  const spared = /^[+#]/.test(filter) ? '(?!\\$)' : '';
  return new RegExp(`^${spared}${body}$`, 's');
}
