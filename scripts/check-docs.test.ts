import { expect, test } from 'vitest';
import { pageFindings } from './check-docs.ts';

const rows = [
  ['# A\n\n[b](b.md)', [], 'one title and a link that leads somewhere'],
  ['# A\n# B', ['2 titles instead of one'], 'two titles are two pages'],
  ['text', ['0 titles instead of one'], 'a page has a title'],
  ['# A\n```sh\n# a comment\n[x](y)\n```', [], 'a fenced block is text'],
  ['# A\n[c](c.md#part)', ['dead link: c.md#part'], 'a dead link'],
  ['# A\n[d](https://example.org) [e](#part)', [], 'other places are not visited'],
] as const;

for (const [text, expected, why] of rows) {
  test(why, () => {
    const findings = pageFindings({ path: 'a.md', text }, (target) => target === 'b.md');
    expect(findings.map((finding) => finding.message)).toEqual(expected);
  });
}
