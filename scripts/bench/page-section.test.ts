import { describe, expect, test } from 'vitest';
import { keepSections, replaceSection } from './page-section.ts';

describe('a page of several benchmarks', () => {
  const page = replaceSection('# Page\n', { name: 'a', text: 'first' });

  test('has a new section at its end', () => {
    expect(page).toBe('# Page\n\n<!-- begin a -->\n\nfirst\n\n<!-- end a -->\n');
  });

  test('has the newer text of a section where the older was', () => {
    const both = replaceSection(page, { name: 'b', text: 'other' });
    const renewed = replaceSection(both, { name: 'a', text: '$& second' });
    expect(renewed).toBe(both.replace('first', () => '$& second'));
  });

  test('keeps the sections of others when its own part is written again', () => {
    expect(keepSections('# New\n', page)).toBe(page.replace('# Page', '# New'));
  });

  test('does not double a section that is there', () => {
    expect(keepSections(page, page)).toBe(page);
  });
});
