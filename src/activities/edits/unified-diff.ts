/** One hunk: the lines it wants to find and those it puts there, each with its line end. `line` counts from 1, as stated. */
export type Hunk = Readonly<{ line: number | null; old: readonly string[]; now: readonly string[]; at: number }>;

export type ParsedDiff = Readonly<{ ok: true; hunks: readonly Hunk[] } | { ok: false; fault: string }>;

/** Each is looked for in the whole file. */
const HUNKS_LIMIT = 500;
const HUNK = /^@@(?: -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@)?/;
const NO_NEWLINE = /^\\/;

type Draft = { line: number | null; old: string[]; now: string[]; at: number };

/** `a/src/x.js` and `src/x.js` are the same file; what follows a tab is a date. */
const fileOf = (header: string): string => (header.slice(4).split('\t')[0] ?? '').trim().replace(/^[ab]\//, '');

function headerFault(line: string, path: string): string | null {
  if (!/^(?:---|\+\+\+) /.test(line)) return null;
  const named = fileOf(line);
  if (named === '/dev/null') {
    return line.startsWith('---')
      ? '`diff` makes a new file: give it whole in `files`'
      : '`diff` removes the file: name it in `deleted_files`';
  }
  return named === path ? null : `\`diff\` names the file ${JSON.stringify(named)}: give one entry per file`;
}

/** Takes the line end from the last line that was added, on the side or sides it is on. */
function endWithoutNewline({ old, now }: Draft, sign: string): void {
  const strip = (lines: string[]): void => {
    const last = lines.pop();
    if (last !== undefined) lines.push(last.replace(/\r?\n$/, ''));
  };
  if (sign !== '+') strip(old);
  if (sign !== '-') strip(now);
}

function addLine(hunk: Draft, line: string): boolean {
  const text = `${line.slice(1)}\n`;
  const sign = line.slice(0, 1);
  if (sign === ' ' || sign === '-') hunk.old.push(text);
  if (sign === ' ' || sign === '+') hunk.now.push(text);
  return sign === ' ' || sign === '-' || sign === '+';
}

/** Reads a unified diff of the file at `path`. Counts in the hunks' headers are not believed: the lines themselves count. */
export function parseDiff(diff: string, path: string): ParsedDiff {
  const hunks: Draft[] = [];
  const lines = diff.replace(/\n$/, '').split('\n');
  let sign = '';
  for (const [index, line] of lines.entries()) {
    const header = HUNK.exec(line);
    const hunk = hunks.at(-1);
    if (header !== null) {
      const stated = header[1];
      hunks.push({ line: stated === undefined ? null : Number(stated), old: [], now: [], at: index + 1 });
    } else if (hunk === undefined) {
      const fault = headerFault(line, path);
      if (fault !== null) return { ok: false, fault };
    } else if (NO_NEWLINE.test(line)) {
      endWithoutNewline(hunk, sign);
    } else if (!addLine(hunk, line)) {
      return {
        ok: false,
        fault: `line ${index + 1} of \`diff\` begins with none of " ", "-", "+": a line that stays, also a blank one, begins with a space`,
      };
    }
    sign = line.slice(0, 1);
  }
  if (hunks.length > HUNKS_LIMIT) {
    return {
      ok: false,
      fault: `\`diff\` has ${hunks.length} hunks, at most ${HUNKS_LIMIT} are taken: give the file whole`,
    };
  }
  if (hunks.length === 0) return { ok: false, fault: '`diff` has no hunk: each begins with a line @@ -1,3 +1,4 @@' };
  return { ok: true, hunks };
}
