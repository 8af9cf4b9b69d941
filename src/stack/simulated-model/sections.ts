/** A heading and the text of the fenced blocks under it. */
export type Section = Readonly<{ heading: string; blocks: readonly string[] }>;

/** The sections of a prompt, read line by line: what stands in a fence is content, whatever it looks like. */
export function readSections(text: string): Section[] {
  const sections: { heading: string; blocks: string[] }[] = [];
  let fence: string | null = null;
  let block: string[] = [];
  for (const line of text.split('\n')) {
    if (fence !== null) {
      if (line !== fence) block.push(line);
      else {
        sections.at(-1)?.blocks.push(block.join('\n'));
        fence = null;
      }
      continue;
    }
    const [, opened] = /^(`{3,})\w*$/.exec(line) ?? [];
    if (opened !== undefined) {
      fence = opened;
      block = [];
    } else if (/^#{1,3} /.test(line)) sections.push({ heading: line, blocks: [] });
  }
  return sections;
}

/** The files that a prompt shows, by path. */
export function shownFiles(sections: readonly Section[]): ReadonlyMap<string, string> {
  const start = sections.findIndex(({ heading }) => heading === '## Files') + 1;
  const files = new Map<string, string>();
  if (start === 0) return files;
  for (const { heading, blocks } of sections.slice(start)) {
    if (!heading.startsWith('### ')) break;
    files.set(heading.slice('### '.length), blocks[0] ?? '');
  }
  return files;
}

/** The paths of all files that a prompt names, shown or not. */
export function namedPaths(sections: readonly Section[]): ReadonlySet<string> {
  const tree = sections.find(({ heading }) => heading === '## Tree')?.blocks[0] ?? '';
  const listed = [...tree.matchAll(/^(.+) \(\d+ bytes\)$/gm)].map(([, path = '']) => path);
  return new Set([...listed, ...shownFiles(sections).keys()]);
}
