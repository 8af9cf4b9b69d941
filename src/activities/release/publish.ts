import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_NAME } from '../../artifacts/release-manifest.ts';
import { AppError } from '../../errors.ts';
import type { PublishTarget } from '../../release-settings.ts';
import { keepContents } from './contents.ts';
import { buildFolder, type Press, publicationOf, type Release, type ReleaseInput } from './press.ts';
import type { Records, ReleaseRecord } from './records.ts';
import { manifestIn, nameFolder, stagingFolder, sweepStaging } from './release-folder.ts';
import { safeName } from './safe-name.ts';
import { isOlder, requireTarget, takeBack, undoAll } from './take-back.ts';

const VERSION_CHARS = 100;
/** For taking back what an attempt began that failed. */
const CLEAN_UP_TIMEOUT_MS = 60_000;

function recordOf(input: ReleaseInput, target: PublishTarget): ReleaseRecord {
  const { branch, attempt, run, atMs, notes, commit } = input;
  const version = input.version
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim()
    .slice(0, VERSION_CHARS);
  const name = `${safeName(version)}-a${attempt}`;
  const what = { version, notes, name, tag: `release/${name}`, target: target.kind, manifest: null };
  return { branch, attempt, run, atMs, ...commit, ...what };
}

/** Makes room: of a build one release exists. @throws AppError `release_failed` when this one is itself the older */
async function replaceOthers(press: Press, input: ReleaseInput, records: Records): Promise<void> {
  const isOther = (record: ReleaseRecord): boolean =>
    record.branch !== input.branch || record.attempt !== input.attempt;
  const others = (await records.list()).filter(isOther);
  if (others.some((record) => !isOlder(record, input))) {
    throw new AppError('release_failed', `A newer release of the build exists than that of attempt ${input.attempt}.`);
  }
  await undoAll(press, input, isOther);
}

/** All steps, each of them safe to repeat. Before each that others see the attempt must still be ours. */
async function takeSteps(press: Press, input: ReleaseInput, records: Records, record: ReleaseRecord): Promise<Release> {
  const { workspaces } = press.settings;
  const at = { workflowId: input.workflowId, ...input.commit, signal: input.signal };
  const publication = publicationOf(press, input, record);
  const staging = stagingFolder(buildFolder(press, input), record);
  try {
    const filesDir = join(staging, 'files');
    await workspaces.exportTree({ ...at, intoDir: filesDir });
    const read = (file: string): Promise<Buffer> => readFile(join(filesDir, file));
    const contents = await keepContents(press.settings, input, record, read);
    for (const { artifact, content } of contents.attachments) await writeFile(join(staging, artifact.name), content);
    await writeFile(join(staging, MANIFEST_NAME), contents.text);
    await records.requireOurs(record);
    await workspaces.setTag({ ...at, name: record.tag });
    // No commit comes after the last one to move the branch there: whoever clones the repository finds what was released.
    await workspaces.advanceBuild(at);
    input.signal.throwIfAborted();
    await records.requireOurs(record);
    await nameFolder(staging, publication.path);
    await press.target.publish(publication);
    await records.requireOurs(record);
    await records.write({ ...record, manifest: contents.sha256 });
    return { path: publication.path, version: record.version, tag: record.tag, manifest: contents.sha256 };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Takes back as much as there is, unless another try goes on with it. */
async function cleanUp(press: Press, input: ReleaseInput, records: Records, record: ReleaseRecord): Promise<void> {
  const found = await records.read(record);
  if (found !== null && found.run !== record.run) return;
  await takeBack(press, { ...input, signal: AbortSignal.timeout(CLEAN_UP_TIMEOUT_MS) }, record);
}

/** A release of the same attempt and commit that is whole already; its tag is set again in case a repair lost it. */
async function madeBefore(press: Press, input: ReleaseInput, record: ReleaseRecord): Promise<Release | null> {
  const { path } = publicationOf(press, input, record);
  if (record.manifest === null || (await manifestIn(path)) === null) return null;
  const { workflowId, commit, signal } = input;
  await press.settings.workspaces.setTag({ workflowId, ...commit, name: record.tag, signal });
  return { path, version: record.version, tag: record.tag, manifest: record.manifest };
}

/** One try at a release by a process that holds its lease. */
export async function publish(press: Press, input: ReleaseInput, records: Records): Promise<Release> {
  const known = await records.read(input);
  const same = known?.commit === input.commit.commit ? known : null;
  if (known !== null && same === null) await takeBack(press, input, known);
  await replaceOthers(press, input, records);
  const record = same === null ? recordOf(input, press.settings.target) : { ...same, run: input.run };
  const made = await madeBefore(press, input, record);
  if (made !== null) return made;
  requireTarget(press, record);
  await records.write(record);
  await sweepStaging(buildFolder(press, input), record);
  try {
    return await takeSteps(press, input, records, record);
  } catch (error) {
    // What was cancelled is for the next try, or for the undo, which comes at once.
    if (input.signal.aborted) throw error;
    await cleanUp(press, input, records, record).catch((fault: unknown) => {
      const about = { workflowId: input.workflowId, error: String(fault) };
      press.settings.log.warn(about, 'a release that failed was not taken back whole; its attempt is undone again');
    });
    throw error;
  }
}
