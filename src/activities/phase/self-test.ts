import { AppError, type ErrorCode } from '../../errors.ts';
import type { Commit } from '../../machine/build.ts';
import { checkFiles } from '../../machine/file-paths.ts';
import type { Json, JsonObject } from '../../machine/json.ts';
import { checkPhaseResult } from '../../machine/payloads.ts';
import { testFeedback } from '../../prompts/test-feedback.ts';
import { changesOf } from '../edits/resolve-edits.ts';
import { AskFailed, type Check } from '../llm/ask.ts';
import type { TestReport } from '../sandbox/report.ts';
import type { Answer, Attempt } from './ask-role.ts';
import { entriesOf, resolveFiles } from './check-answer.ts';
import { reportData, runTestsOf } from './measured.ts';

/** Why tests are not run here: the testing phase says so, and parks the build if it must. */
const CANNOT_RUN: ReadonlySet<ErrorCode> = new Set(['test_runtime_missing', 'sandbox_missing']);

/** Runs the tests of what the code writer has just given; null where they may not or cannot be run. */
export async function ownTestRun(attempt: Attempt, commit: Commit, simulated: boolean): Promise<TestReport | null> {
  const { deps, input } = attempt;
  const { head, spec } = input.build;
  const runnable = simulated && head?.runnable !== false;
  const may = runnable || (spec.mayRunAnyFiles === true && deps.sandbox.takesAnyFiles);
  if (!may) return null;
  try {
    return await runTestsOf(attempt, { ...commit, runnable });
  } catch (error) {
    if (error instanceof AppError && CANNOT_RUN.has(error.code)) return null;
    throw error;
  }
}

const CHANGES = ['files', 'edits', 'deleted_files'] as const;

function withoutChanges(value: JsonObject): JsonObject {
  const { files: _files, edits: _edits, deleted_files: _deleted, ...rest } = value;
  return rest;
}

const changesNothing = (value: JsonObject): boolean =>
  CHANGES.every((name) => value[name] == null || (Array.isArray(value[name]) && value[name].length === 0));

const givenFields = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(withoutChanges(value)).filter(([, given]) => given !== null));

/** Two answers as one: what the later one gives replaces what the earlier gave, and what it deletes is not given. */
function merged(earlier: JsonObject, later: JsonObject, before: ReadonlySet<string>): JsonObject {
  const [first, second] = [changesOf(earlier), changesOf(later)];
  const files = new Map(first.files.map((file) => [file.path, file]));
  for (const file of second.files) files.set(file.path, file);
  for (const path of second.deleted) files.delete(path);
  const deleted = [...new Set([...first.deleted, ...second.deleted])].filter(
    (path) => before.has(path) && !files.has(path),
  );
  const edits = [...first.edits, ...second.edits] as unknown as Json[];
  return {
    ...withoutChanges(earlier),
    ...givenFields(later),
    files: [...files.values()],
    ...(edits.length > 0 ? { edits } : {}),
    ...(deleted.length > 0 ? { deleted_files: deleted } : {}),
  };
}

/** A correction is judged by what it makes of the answer before it, whose files are the tree that its edits are made on. */
function correctionCheck(attempt: Attempt, answer: Answer, commit: Commit): Check<JsonObject> {
  return async (given) => {
    if (changesNothing(given)) return { ok: true, value: { ...answer.value, ...givenFields(given) } };
    const checked = checkPhaseResult('implementation', { ...withoutChanges(answer.value), ...given }, 'llm');
    if (!checked.ok) return checked;
    const resolved = await resolveFiles(attempt, commit, checked.value);
    if (!resolved.ok) return resolved;
    const existing = await entriesOf(attempt, attempt.input.build.head);
    const value = merged(answer.value, resolved.value, new Set(existing.map(({ path }) => path)));
    const { files, deleted } = changesOf(value);
    const faults = checkFiles(files, { deleted, existing });
    return faults.length > 0 ? { ok: false, faults } : { ok: true, value };
  };
}

/** Shows the run to the code writer. Null when no usable correction came: the work so far is handed over as it is. */
export async function askForCorrection(
  attempt: Attempt,
  answer: Answer,
  commit: Commit,
  report: TestReport,
): Promise<Answer | null> {
  const told = testFeedback(reportData(report), attempt.input.build.spec.coverageMin);
  try {
    return await answer.goOn({ told, ground: commit, check: correctionCheck(attempt, answer, commit) });
  } catch (error) {
    if (error instanceof AskFailed && !attempt.meter.signal.aborted) return null;
    throw error;
  }
}
