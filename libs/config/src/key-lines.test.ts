import { describe, expect, test } from 'vitest';
import { keyLinesOf, lineOf } from './key-lines.ts';

const text = `# a comment with key = 1
top = 1

[network] # trailing
tcp_port = 1883
"quoted key" = 2
list = [
  "a", # ] not the end
  "b",
]
after_list = 3
long = """
tcp_port = 9
[storage]
"""
after_text = '''one line'''
inline = { a = 1, b = "}" }
after_inline = 4

[[listener]]
name = "first"
[[listener]]
name = "second"
port = 2
[listener.tls]
cert = "x"
a.b = 1
`;

describe('the lines of keys', () => {
  const lines = keyLinesOf(text);
  const rows = [
    ['top', 2, 'a comment holds no key'],
    ['network', 4, 'a table has a line of its own'],
    ['network.tcp_port', 5, 'a key in a table'],
    ['network.quoted key', 6, 'a quoted key loses its quotes'],
    ['network.list', 7, 'a list begins where its key is'],
    ['network.after_list', 11, 'brackets in comments do not close a list'],
    ['network.long', 12, 'a long text begins where its key is'],
    ['network.after_text', 16, 'keys within a long text are text'],
    ['network.after_inline', 18, 'brackets within quotes do not count'],
    ['listener.0.name', 21, 'the first row'],
    ['listener.1.port', 24, 'the second row'],
    ['listener.1.tls.cert', 26, 'a table below the last row'],
    ['listener.1.tls.a.b', 27, 'a dotted key'],
    ['network.inline.b', 17, 'a key within an inline table has the line of the table'],
    ['nowhere', 1, 'what is not there is said of the first line'],
  ] as const;
  for (const [path, line, why] of rows) {
    test(why, () => expect(lineOf(lines, path)).toBe(line));
  }
});
