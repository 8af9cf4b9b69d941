import type { WorkspaceFile } from '../../machine/file-paths.ts';

export type CommitContent = Readonly<{
  ref: string;
  base: string | null;
  advanceTo: string | null;
  files: readonly WorkspaceFile[];
  /** Paths that are in the base and shall go. */
  deleted: readonly string[];
  /** Files of the base that are executable, which they stay. */
  executable: ReadonlySet<string>;
  author: string;
  message: string;
  trailers: Readonly<Record<string, string>>;
  /** The time of author and committer, in ms since 1970: the same input gives the same commit. */
  atMs: number;
}>;

/** The branch of a build: only accepted commits are on it. */
export const BUILD_BRANCH = 'refs/heads/build';

/**
 * The input of one `git fast-import --done` that writes one commit and answers with its hash and its tree's. The last word
 * is `done`: a stream cut off anywhere before it moves no branch.
 */
export function importStream(content: CommitContent): Buffer[] {
  const parts: Buffer[] = [];
  const line = (text: string): void => void parts.push(Buffer.from(`${text}\n`, 'utf8'));
  const data = (text: string): void => {
    const bytes = Buffer.from(text, 'utf8');
    line(`data ${bytes.length}`);
    parts.push(bytes, NEWLINE);
  };
  const who = `${content.author} <${content.author}@build.invalid> ${Math.floor(content.atMs / 1000)} +0000`;
  line(`commit ${content.ref}`);
  line('mark :1');
  line(`author ${who}`);
  line(`committer ${who}`);
  data(messageOf(content));
  if (content.base !== null) line(`from ${content.base}`);
  for (const path of content.deleted) line(`D ${quoted(path)}`);
  for (const file of content.files) {
    line(`M ${content.executable.has(file.path) ? '100755' : '100644'} inline ${quoted(file.path)}`);
    data(file.content);
  }
  line('');
  if (content.advanceTo !== null) parts.push(Buffer.from(`reset ${BUILD_BRANCH}\nfrom ${content.advanceTo}\n\n`));
  line('get-mark :1');
  line('ls :1 ""');
  line('done');
  return parts;
}

const NEWLINE = Buffer.from('\n');

/** A path of existing code may hold anything but NUL. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

function messageOf({ message, trailers }: CommitContent): string {
  const lines = Object.entries(trailers).map(
    ([name, value]) => `${name}: ${value.replace(/[\p{Cc}\s]+/gu, ' ').trim()}`,
  );
  const body = message.replaceAll('\0', '').trim().slice(0, 8000);
  return `${body}\n${lines.length === 0 ? '' : `\n${lines.join('\n')}\n`}`;
}
