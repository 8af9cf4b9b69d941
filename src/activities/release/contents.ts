import { createHash } from 'node:crypto';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import type { ReleaseArtifact, ReleaseManifest } from '../../artifacts/release-manifest.ts';
import { git } from '../workspace/git.ts';
import type { ReleaseInput, ReleaseWorkspaces } from './press.ts';
import type { ReleaseRecord } from './records.ts';
import { safeName } from './safe-name.ts';

/** So much of a download is in memory at a time, here and in the API. */
const PART_BYTES = 4 * 1024 * 1024;

/** A file of the release beside the product: its place among the downloads, and its content. */
export type Attachment = Readonly<{ artifact: ReleaseArtifact; content: Buffer }>;

type Parts = Readonly<{ store: ArtifactStore; workspaces: ReleaseWorkspaces }>;

const hash = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function keep(
  { store }: Parts,
  about: Pick<ReleaseArtifact, 'name' | 'kind' | 'media_type'>,
  content: Buffer,
): Promise<Attachment> {
  const parts: { sha256: string; bytes: number }[] = [];
  for (let at = 0; at < Math.max(1, content.length); at += PART_BYTES) {
    const { sha256, bytes } = await store.put(content.subarray(at, at + PART_BYTES));
    parts.push({ sha256, bytes });
  }
  return { artifact: { ...about, bytes: content.length, sha256: hash(content), parts }, content };
}

const markdown = { kind: 'notes', name: 'RELEASE_NOTES.md', media_type: 'application/octet-stream' } as const;
const patch = { kind: 'patch', name: 'change.patch', media_type: 'application/octet-stream' } as const;
const report = { kind: 'test_report', name: 'test-report.json', media_type: 'application/json' } as const;

/** The notes as the role wrote them, below a title that says of what they are. */
const notesText = ({ version, notes }: ReleaseRecord, { buildId }: ReleaseInput): string =>
  `# ${buildId.replace(/[\p{Cc}]/gu, ' ')} ${version}\n\n${notes.trim() === '' ? 'No notes were written.' : notes.trim()}\n`;

/** What differs from the user's source; `git apply` takes it, binary files included. */
async function changeOf({ workspaces }: Parts, input: ReleaseInput, base: string): Promise<Buffer> {
  const { workflowId, commit, signal } = input;
  const repository = await workspaces.repositoryWith({ workflowId, ...commit, signal });
  const shown = ['--binary', '--full-index', '--no-color', '--no-ext-diff', '--no-textconv', '--no-renames'];
  return await git({ repository, args: ['diff-tree', '-r', '-p', ...shown, base, commit.commit], signal });
}

/** The product's files by their paths, with their hashes. */
async function describeFiles(
  { workspaces }: Parts,
  input: ReleaseInput,
  read: (path: string) => Promise<Buffer>,
): Promise<ReleaseManifest['files']> {
  const { workflowId, commit, signal } = input;
  const described: { path: string; sha256: string; bytes: number }[] = [];
  for (const { path } of await workspaces.listFiles({ workflowId, ...commit, signal })) {
    const content = await read(path);
    described.push({ path, sha256: hash(content), bytes: content.length });
  }
  return described;
}

export type Contents = Readonly<{
  attachments: readonly Attachment[];
  manifest: ReleaseManifest;
  text: string;
  sha256: string;
}>;

/**
 * Makes all files of a release but the product's own and puts them into the store, the manifest last. The same record and
 * input give the same bytes.
 * @param read gives a file of the product as it lies in the release's folder
 */
export async function keepContents(
  parts: Parts,
  input: ReleaseInput,
  record: ReleaseRecord,
  read: (path: string) => Promise<Buffer>,
): Promise<Contents> {
  const { workflowId, commit, base, facts, signal } = input;
  const stem = `${safeName(input.buildId)}-${safeName(record.version)}`;
  const packed = await parts.workspaces.archive({ workflowId, ...commit, prefix: stem, signal });
  const archive = await keep(
    parts,
    { name: `${stem}.tar.gz`, kind: 'archive', media_type: 'application/gzip' },
    packed,
  );
  const attachments = [archive, await keep(parts, markdown, Buffer.from(notesText(record, input)))];
  if (base !== null) attachments.push(await keep(parts, patch, await changeOf(parts, input, base)));
  const { testReport, ...known } = facts;
  if (testReport !== null) attachments.push(await keep(parts, report, testReport));
  const { name, bytes, sha256 } = archive.artifact;
  const manifest: ReleaseManifest = {
    build_id: input.buildId,
    workflow_id: workflowId,
    project_id: input.projectId,
    version: record.version,
    tag: record.tag,
    attempt: record.attempt,
    branch: record.branch,
    made_at: new Date(record.atMs).toISOString(),
    notes: record.notes,
    requirements: known.requirements,
    commit: commit.commit,
    tree: await parts.workspaces.treeOf({ workflowId, ...commit, signal }),
    base_commit: base,
    phases: known.phases,
    tests: known.tests,
    coverage: known.coverage,
    simulated: known.simulated,
    roles: known.roles,
    tokens: known.tokens,
    files: await describeFiles(parts, input, read),
    archive: { name, bytes, sha256 },
    artifacts: attachments.map(({ artifact }) => artifact),
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  return { attachments, manifest, text, sha256: (await parts.store.put(text)).sha256 };
}
