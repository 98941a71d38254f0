/**
 * One log line for people: `14:03:07.120 INFO  broker.started  nodeId=1 version="0.1.0"`.
 *
 * Texts are written as JSON strings and control characters are escaped, so that no client can forge a
 * line or send codes to a terminal by its client identifier.
 */
export function prettyLine(json: string, colours: 'on' | 'off'): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return json; // Not ours: better as it is than lost.
  }
  const { time, level, event, msg, ...fields } = record;
  const label = textOf(level).toUpperCase().padEnd(5);
  const parts = [
    textOf(time).slice(11, 23),
    colours === 'on' ? coloured(label, textOf(level)) : label,
    escaped(textOf(event ?? msg)),
    ...Object.entries(fields).map(([key, value]) => `${key}=${escaped(JSON.stringify(value))}`),
  ];
  return `${parts.filter((part) => part !== '').join(' ')}\n`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** JSON escapes the C0 controls, but neither DEL nor the C1 controls (U+0080 to U+009F). */
function escaped(text: string): string {
  return text.replaceAll(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    // oxlint-disable-next-line no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function coloured(label: string, level: string): string {
  const codes: Readonly<Record<string, number>> = {
    debug: 90,
    info: 32,
    warn: 33,
    error: 31,
    fatal: 35,
  };
  const code = codes[level];
  return code === undefined ? label : `\u001b[${code}m${label}\u001b[0m`;
}
