import type { Json } from '../machine/json.ts';

// JSON leaves these as they are, and readers that split lines by Unicode's rules would see a line break in them.
const UNICODE_LINE_BREAKS = /[\u0085\u2028\u2029]/g;

/** JSON in which no character of a string can begin a new line. */
export function jsonText(value: Json, indent = 2): string {
  const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, indent).replace(UNICODE_LINE_BREAKS, escaped);
}

/** Text that stands outside a fence: it can begin no line of its own, so it can forge no heading. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** A fence of three backticks is enough: every line of JSON begins with a space, a bracket, a quote or a bare word. */
export const jsonBlock = (value: Json): string => `\`\`\`json\n${jsonText(value)}\n\`\`\``;

/** Any text word for word, in a fence longer than every run of backticks in it. */
export function textBlock(text: string): string {
  const longest = (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${fence}`;
}
