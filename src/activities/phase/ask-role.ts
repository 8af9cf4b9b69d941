import { loadPromptParts } from '../../artifacts/contents.ts';
import type { JsonObject } from '../../machine/json.ts';
import { checkPhaseResult } from '../../machine/payloads.ts';
import { STATE_TABLE } from '../../machine/states.ts';
import { routeModel } from '../../models.ts';
import { buildPrompt, type PromptInput } from '../../prompts/prompt.ts';
import type { PhaseInput } from '../contract.ts';
import type { ActivityDeps } from '../deps.ts';
import { AskFailed, askForResult, type Check } from '../llm/ask.ts';
import { checkFiles } from '../workspace/check-files.ts';
import type { WorkMeter } from './work-meter.ts';

/** Text of the tree that a prompt shows; more is named but not shown. */
const FILES_LIMIT_BYTES = 120_000;

/** Everything one attempt works with. */
export type Attempt = Readonly<{ deps: ActivityDeps; input: PhaseInput; meter: WorkMeter }>;

export type Files = { path: string; content: string }[];

/** The files of a checked result; its shape was checked before. */
export const filesOf = (value: JsonObject): Files =>
  Array.isArray(value.files) ? (value.files as unknown as Files) : [];

async function currentFiles({ deps, input, meter }: Attempt): Promise<PromptInput['files']> {
  const { build, phase } = input;
  const wanted = phase === 'implementation' || phase === 'testing' || phase === 'verification';
  if (!wanted || build.head === null) return null;
  const at = { workflowId: build.spec.workflowId, commit: build.head.commit, signal: meter.signal };
  return (await deps.workspaces.readFiles({ ...at, limitBytes: FILES_LIMIT_BYTES })).files;
}

/** The testing role may add tests, never change what is tested. */
function checkTestFiles(
  attempt: Attempt,
  existing: PromptInput['files'],
  value: JsonObject,
): ReturnType<typeof checkFiles> {
  if (attempt.input.phase !== 'testing') return [];
  const product = new Set((existing ?? []).map(({ path }) => path).filter((path) => !/test/i.test(path)));
  return filesOf(value).flatMap(({ path }, index) =>
    product.has(path) || !/test/i.test(path)
      ? [{ at: `files[${index}].path`, fault: `"${path}" is no test file; testing may add test files only` }]
      : [],
  );
}

function checker(attempt: Attempt, existing: PromptInput['files']): Check<JsonObject> {
  return (value) => {
    const checked = checkPhaseResult(attempt.input.phase, value, 'llm');
    if (!checked.ok) return checked;
    const faults = [...checkFiles(filesOf(checked.value)), ...checkTestFiles(attempt, existing, checked.value)];
    return faults.length > 0 ? { ok: false, faults } : checked;
  };
}

/** Builds the role's prompt, asks its model, and gives the answer once it passes the phase's checks. */
export async function askRole(
  attempt: Attempt,
  testRun: JsonObject | null,
): Promise<{ value: JsonObject; simulated: boolean }> {
  const { deps, input, meter } = attempt;
  const { build, phase } = input;
  const [parts, files] = await Promise.all([loadPromptParts(deps.store, build, phase), currentFiles(attempt)]);
  const { workflowId, buildId, coverageMin } = build.spec;
  const number = build.attempts[phase];
  const ids = { workflowId, buildId, phase, attempt: number, driver: 'llm', coverageMin } as const;
  const messages = buildPrompt({ ...ids, ...parts, files, testRun });
  const { byRole, fallbacks, providers } = deps.models;
  const model = build.spec.model ?? byRole[STATE_TABLE[phase].owner];
  const first = routeModel(model, providers);
  const routes = [first, ...fallbacks.map((name) => routeModel(name, providers))] as const;
  const startedAt = performance.now();
  try {
    const asked = await askForResult({
      routes,
      messages,
      check: checker(attempt, files),
      deadlineMs: meter.remainingMs(),
      signal: meter.signal,
    });
    meter.addCalls(asked.calls);
    return { value: asked.value, simulated: asked.calls.every(({ provider }) => provider === 'simulated') };
  } catch (error) {
    if (error instanceof AskFailed) meter.addCalls(error.calls);
    else if (meter.signal.aborted) meter.addCancelledCall(first, performance.now() - startedAt);
    throw error;
  }
}
