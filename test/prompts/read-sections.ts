/** What a strict reader sees in a message: the headings outside fences, and the fenced text that follows each. */
export type ReadSection = { heading: string; blocks: string[]; lines: string[] };

/** Fences as Markdown has them; outside them every kind of line break counts, so that no heading can hide behind one. */
export function readSections(message: string): ReadSection[] {
  const sections: ReadSection[] = [];
  let fence: { length: number; lines: string[] } | null = null;
  for (const line of message.split('\n')) {
    const ticks = /^(`{3,})/.exec(line)?.[1]?.length ?? 0;
    if (fence !== null) {
      if (ticks >= fence.length && /^`+\s*$/.test(line)) {
        sections.at(-1)?.blocks.push(fence.lines.join('\n'));
        fence = null;
      } else fence.lines.push(line);
    } else if (ticks > 0) fence = { length: ticks, lines: [] };
    else {
      for (const part of line.split(/[\r\v\f\u0085\u2028\u2029]/)) {
        if (/^ {0,3}#{1,6}(?:\s|$)/.test(part)) sections.push({ heading: part, blocks: [], lines: [] });
        else if (part !== '') sections.at(-1)?.lines.push(part);
      }
    }
  }
  return fence === null ? sections : [...sections, { heading: 'a fence that was never closed', blocks: [], lines: [] }];
}

export const headingsOf = (message: string): string[] => readSections(message).map(({ heading }) => heading);

/** The text under a heading: its first fenced block. */
export function blockUnder(message: string, heading: string): string | undefined {
  return readSections(message).find((section) => section.heading === heading)?.blocks[0];
}

export function jsonUnder(message: string, heading: string): unknown {
  return JSON.parse(blockUnder(message, heading) ?? '"the section is missing"');
}
