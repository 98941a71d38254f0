/** A page that several benchmarks write: each owns the text between its two marks. */

export interface PageSection {
  readonly name: string;
  readonly text: string;
}

/** The page with the section's new text; at the end when it had none. */
export function replaceSection(page: string, { name, text }: PageSection): string {
  const section = `${beginMark(name)}\n\n${text}\n\n${endMark(name)}`;
  const found = sectionOf(page, name);
  if (found === null) return `${page.trimEnd()}\n\n${section}\n`;
  return page.replace(found, () => section);
}

/** The new page with those sections of the old one that it does not have. */
export function keepSections(page: string, former: string): string {
  let result = page;
  for (const [, name = ''] of former.matchAll(/^<!-- begin (\S+) -->$/gm)) {
    const found = sectionOf(former, name);
    if (found !== null && sectionOf(page, name) === null)
      result = `${result.trimEnd()}\n\n${found}\n`;
  }
  return result;
}

function sectionOf(page: string, name: string): string | null {
  const begin = page.indexOf(beginMark(name));
  const end = page.indexOf(endMark(name));
  return begin < 0 || end < begin ? null : page.slice(begin, end + endMark(name).length);
}

function beginMark(name: string): string {
  return `<!-- begin ${name} -->`;
}

function endMark(name: string): string {
  return `<!-- end ${name} -->`;
}
